// Writes what the manual takes from the sources: the tables of options in docs/configuration.md.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CONFIGURATION, configurationPage } from './reference.mjs';

const REPOSITORY = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
writeFileSync(join(REPOSITORY, CONFIGURATION), await configurationPage(REPOSITORY));
