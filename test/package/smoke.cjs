'use strict';
// The package by `require()`, run outside of this repository. Prints the exported names.
require('reflect-metadata');
const assert = require('node:assert/strict');
const nest = require('@nestjs/core');
const library = require('nestjs-feishu-auth');
const manifest = require('nestjs-feishu-auth/package.json');
const testing = require('nestjs-feishu-auth/testing');
const { runSmokeApplication } = require('./smoke-application.mjs');

assert.throws(() => require('nestjs-feishu-auth/dist/cjs/index.js'), {
  code: 'ERR_PACKAGE_PATH_NOT_EXPORTED',
});

const names = {};
for (const entry of Object.keys(manifest.exports).filter((key) => !key.endsWith('.json'))) {
  names[entry] = Object.keys(require(manifest.name + entry.slice(1))).toSorted();
}

void runSmokeApplication(nest, library, testing).then(() => console.log(JSON.stringify(names)));
