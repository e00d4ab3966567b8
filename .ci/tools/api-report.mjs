// The public API as a report in test/api/, one file for each entry point, so that a change of the public surface shows in review.
// `--check` writes nothing, and fails if a report is out of date. Reads dist/, so build first.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CompilerState, Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';
import { entryPointsOf } from './entry-points.mjs';

const REPOSITORY = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const REPORTS = join(REPOSITORY, 'test', 'api');
const isCheck = process.argv.includes('--check');

const folder = mkdtempSync(join(tmpdir(), 'nestjs-feishu-auth-api-'));
const changed = [];
try {
  mkdirSync(REPORTS, { recursive: true });
  const configs = entryPoints().map(([subpath, { import: target }]) =>
    configOf(subpath === '.' ? 'nestjs-feishu-auth' : subpath.slice(2), join(REPOSITORY, target.types)),
  );
  // One compilation for all of them.
  const compilerState = CompilerState.create(configs[0], {
    additionalEntryPoints: configs.map(({ mainEntryPointFilePath }) => mainEntryPointFilePath),
  });
  for (const config of configs) {
    const name = basename(config.reportFilePath, '.api.md');
    const report = reportOf(config, compilerState);
    const file = join(REPORTS, `${name}.api.md`);
    if (report === currentText(file)) continue;
    changed.push(`test/api/${name}.api.md`);
    if (!isCheck) writeFileSync(file, report);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

if (changed.length > 0 && isCheck) {
  console.error(
    `The public API changed: ${changed.join(', ')}. If that is intended, run npm run api:update and commit.`,
  );
  process.exitCode = 1;
} else {
  console.log(changed.length > 0 ? `written: ${changed.join(', ')}` : 'the public API is as reported');
}

function entryPoints() {
  const { exports } = entryPointsOf(REPOSITORY);
  return Object.entries(exports).filter(([subpath]) => !subpath.endsWith('.json'));
}

function configOf(name, types) {
  return ExtractorConfig.prepare({
    configObject: {
      mainEntryPointFilePath: types,
      projectFolder: REPOSITORY,
      newlineKind: 'lf',
      compiler: { tsconfigFilePath: join(REPOSITORY, 'tsconfig.json'), skipLibCheck: true },
      apiReport: {
        enabled: true,
        includeForgottenExports: false,
        reportFileName: `${name}.api.md`,
        reportFolder: folder,
        reportTempFolder: folder,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
    configObjectFullPath: join(REPOSITORY, 'api-extractor.json'),
    packageJsonFullPath: join(REPOSITORY, 'package.json'),
  });
}

function reportOf(config, compilerState) {
  Extractor.invoke(config, {
    compilerState,
    localBuild: true,
    messageCallback: (message) => {
      if (message.logLevel !== ExtractorLogLevel.Error) message.handled = true;
    },
  });
  return readFileSync(config.reportFilePath, 'utf8');
}

function currentText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
