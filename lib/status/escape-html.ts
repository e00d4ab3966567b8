const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A piece of HTML that is safe to insert into a page. */
export class SafeHtml {
  constructor(readonly text: string) {}
}

type Value = SafeHtml | string | number | undefined | false | readonly (SafeHtml | string | number)[];

/** Template tag that escapes every value that is not HTML already. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): SafeHtml {
  return new SafeHtml(String.raw({ raw: strings }, ...values.map(toText)));
}

function toText(value: Value): string {
  if (value === undefined || value === false) return '';
  if (value instanceof SafeHtml) return value.text;
  if (typeof value === 'object') return value.map(toText).join('');
  return String(value).replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
