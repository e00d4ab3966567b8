import { arrow, box, picture, text } from './svg.mjs';

/** How a store app gets the token of one tenant. */
export function storeAppChain() {
  return picture({
    width: 900,
    height: 306,
    title: "A store app's chain",
    description:
      'Feishu pushes the app_ticket to the event URL every hour. Ticket and App Secret give the app_access_token. ' +
      'The app_access_token and a tenant_key give the tenant_access_token of that tenant.',
    body: [
      box(28, 112, 150, 76, 'Feishu', ['pushes every hour']),
      arrow(178, 150, 236, 150),
      text(207, 140, 'event', 'small soft middle'),
      box(238, 112, 158, 76, 'app_ticket', ['newest one is valid']),
      box(238, 226, 158, 52, 'App Secret'),
      arrow(396, 150, 478, 150),
      `<path d="M396 252H436V160" class="arrow" marker-end="url(#head)"/>`,
      box(480, 112, 168, 76, 'app_access_token', ['one, lives 2 hours']),
      ...['tenant A', 'tenant B', 'tenant C'].map((tenant, index) => {
        const y = 28 + index * 96;
        return [
          `<path d="M648 150C680 150 668 ${y + 34} 706 ${y + 34}" class="arrow" marker-end="url(#head)"/>`,
          box(708, y, 166, 68, tenant, ['tenant_access_token', 'lives 2 hours']),
        ].join('\n');
      }),
      text(564, 210, 'one request for each tenant_key', 'small soft middle'),
      text(28, 40, 'Each arrow is one request or one event.', 'small soft'),
      text(28, 59, 'The module keeps and renews every box.', 'small soft'),
    ].join('\n'),
  });
}
