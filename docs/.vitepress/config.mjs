import { existsSync, readFileSync } from 'node:fs';
import { defineConfig } from 'vitepress';
import { slugOf } from '../../.ci/tools/docs/markdown-links.mjs';
import { sidebar } from './pages.mjs';

const API_SIDEBAR = new URL('../api/typedoc-sidebar.json', import.meta.url);

/** Written by TypeDoc. Without it (`npm run docs:dev` before the first build) the site has no API reference. */
function apiSidebar() {
  return existsSync(API_SIDEBAR) ? JSON.parse(readFileSync(API_SIDEBAR, 'utf8')) : [];
}

const hasApi = existsSync(API_SIDEBAR);

export default defineConfig({
  title: 'nestjs-feishu-auth',
  description: 'Valid Feishu / Lark access tokens for NestJS, renewed before they expire.',
  lang: 'en',
  cleanUrls: true,
  outDir: '../.build/site',
  cacheDir: '../.build/vitepress',
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: '/logo.svg' }]],
  markdown: {
    // The same anchors as on GitHub, where the documents are read too.
    anchor: { slugify: slugOf },
    theme: { light: 'github-light', dark: 'github-dark' },
    container: { tipLabel: 'Tip', warningLabel: 'Warning' },
  },
  themeConfig: {
    logo: '/logo.svg',
    outline: { level: [2, 3] },
    search: { provider: 'local' },
    nav: [
      { text: 'Manual', link: '/getting-started' },
      { text: 'Configuration', link: '/configuration' },
      { text: 'Errors', link: '/errors' },
      ...(hasApi ? [{ text: 'API reference', link: '/api/' }] : []),
    ],
    sidebar: {
      '/': sidebar(),
      '/api/': [{ text: 'API reference', link: '/api/', items: apiSidebar() }],
    },
  },
});
