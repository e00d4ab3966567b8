import { arrow, box, picture, text } from './svg.mjs';

/** How a store app gets the token of one tenant. */
export function storeAppChain() {
  return picture({
    width: 760,
    height: 306,
    title: "A store app's chain",
    description:
      'Feishu pushes the app_ticket to the event URL every hour. Ticket and App Secret give the app_access_token. ' +
      'The app_access_token and a tenant_key give the tenant_access_token of that tenant.',
    body: [
      box(24, 112, 124, 76, 'Feishu', ['pushes every hour']),
      arrow(148, 150, 194, 150),
      text(171, 140, 'event', 'small soft middle'),
      box(196, 112, 136, 76, 'app_ticket', ['newest one is valid']),
      box(196, 226, 136, 52, 'App Secret'),
      arrow(332, 150, 398, 150),
      `<path d="M332 252H364V160" class="arrow" marker-end="url(#head)"/>`,
      box(400, 112, 152, 76, 'app_access_token', ['one, lives 2 hours']),
      ...['tenant A', 'tenant B', 'tenant C'].map((tenant, index) => {
        const y = 28 + index * 96;
        return [
          `<path d="M552 150C584 150 570 ${y + 34} 604 ${y + 34}" class="arrow" marker-end="url(#head)"/>`,
          box(606, y, 132, 68, tenant, ['tenant_access_token', 'lives 2 hours']),
        ].join('\n');
      }),
      text(476, 210, 'one request a tenant', 'small soft middle'),
      text(24, 40, 'Each arrow is one request or one event.', 'small soft'),
      text(24, 59, 'The module keeps and renews every box.', 'small soft'),
    ].join('\n'),
  });
}
