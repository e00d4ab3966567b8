import { html } from './escape-html.js';

describe('html', () => {
  it('escapes every value that is not HTML already, in lists too', () => {
    const hostile = `"><script>alert('1')</script>&`;
    const text = html`<p title="${hostile}">${[hostile, html`<b>${hostile}</b>`]}</p>`.text;
    const escaped = '&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;';
    expect(text).toBe(`<p title="${escaped}">${escaped}<b>${escaped}</b></p>`);
  });

  it('leaves out what is undefined or false, and writes 0', () => {
    expect(html`${undefined}${false}${0}`.text).toBe('0');
  });
});
