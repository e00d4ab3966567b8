// The package by `import`, run outside of this repository. Prints the exported names.
import 'reflect-metadata';
import assert from 'node:assert/strict';
import * as nest from '@nestjs/core';
import * as library from 'nestjs-feishu-auth';
import manifest from 'nestjs-feishu-auth/package.json' with { type: 'json' };
import * as testing from 'nestjs-feishu-auth/testing';
import { runSmokeApplication } from './smoke-application.mjs';

await assert.rejects(import('nestjs-feishu-auth/dist/esm/index.js'), {
  code: 'ERR_PACKAGE_PATH_NOT_EXPORTED',
});

await runSmokeApplication(nest, library, testing);

const names = {};
for (const entry of Object.keys(manifest.exports).filter((key) => !key.endsWith('.json'))) {
  names[entry] = Object.keys(await import(manifest.name + entry.slice(1))).toSorted();
}
console.log(JSON.stringify(names));
