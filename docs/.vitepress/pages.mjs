import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const DOCS = fileURLToPath(new URL('..', import.meta.url));

/** The manual, in reading order. A page is listed as soon as it exists; `npm run docs:check` finds pages that are not named here. */
const SECTIONS = [
  {
    text: 'Start',
    pages: {
      'getting-started': 'Getting started',
      installation: 'Installation',
      configuration: 'Configuration',
      'several-apps': 'Several apps',
      migrating: 'Migrating',
      doctor: 'Doctor',
      glossary: 'Glossary',
      faq: 'FAQ',
    },
  },
  {
    text: 'Tokens and requests',
    pages: {
      'using-tokens': 'Using tokens',
      'incoming-requests': 'Incoming requests',
      'outgoing-requests': 'Outgoing requests',
      axios: 'axios',
      'official-client': 'The official client',
      jsapi: 'JSAPI tickets and signatures',
      'keyless-apps': 'Keyless apps',
    },
  },
  {
    text: 'Users',
    pages: {
      'user-login': 'User login',
      'user-tokens': 'User tokens',
      'user-token-stores': 'Stores for user logins',
    },
  },
  {
    text: 'Events',
    pages: {
      events: 'Events',
      'card-callbacks': 'Card callbacks',
      'store-apps': 'Store apps',
    },
  },
  {
    text: 'Operation',
    pages: {
      redis: 'Several processes and Redis',
      'pre-warm': 'Pre-warm',
      'health-and-metrics': 'Health and metrics',
      'observability/index': 'Prometheus and OpenTelemetry',
      'observability/runbook': 'Alerts and runbook',
      'status-page': 'Status page',
      errors: 'Errors',
      failures: 'Behaviour under failure',
      security: 'Security',
      proxies: 'Proxies',
    },
  },
  { text: 'Tests', pages: { testing: 'Testing' } },
  {
    text: 'Background',
    pages: {
      architecture: 'Architecture',
      benchmarks: 'Benchmarks',
      fleet: 'The fleet in figures',
      'mutation-testing': 'Mutation testing',
    },
  },
];

/** Files of the manual that no section lists. */
const ELSEWHERE = ['index'];

/** @returns the sections with the pages that exist, as VitePress wants them in a sidebar */
export function sidebar() {
  return SECTIONS.map(({ text, pages }) => ({
    text,
    items: Object.entries(pages)
      .filter(([page]) => existsSync(`${DOCS}/${page}.md`))
      .map(([page, title]) => ({ text: title, link: `/${page.replace(/index$/, '')}` })),
  })).filter(({ items }) => items.length > 0);
}

/**
 * The pages without a place in the navigation.
 *
 * @param {readonly string[]} files relative to `docs/`, such as `events.md`
 */
export function unlisted(files) {
  const listed = new Set([...ELSEWHERE, ...SECTIONS.flatMap(({ pages }) => Object.keys(pages))]);
  return files.filter((file) => !listed.has(file.replace(/\.md$/, '')));
}
