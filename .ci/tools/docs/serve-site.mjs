// Serves the manual on this machine and updates it as its pages change. `npm run docs:build` once adds the API reference.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createServer } from 'vitepress';

const server = await createServer(join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'docs'));
await server.listen();
server.printUrls();
server.bindCLIShortcuts({ print: true });
