import { join } from 'node:path';
import { addFeishu, assertTokens } from './additions.mjs';
import { Project } from './project.mjs';

/**
 * Applications of different kinds with the package in them. In each: `nest add`, the generated unit and end-to-end tests
 * as they are, the build, a start, an answered route with a token, and a clean end.
 */
export const CONSUMERS = {
  nest11: { title: 'Nest 11: CommonJS, Jest with ts-jest', run: onNest11 },
  nest12: { title: 'Nest 12: ES modules, Vitest', run: onNest12 },
};

async function onNest11(context) {
  const project = await newProject(context, 11);
  await project.install(context.tarball);
  await addFeishu(project, { flags: ['--health'] });
  await project.install();
  await testBuildAndStart(project);
  return versions(project);
}

async function onNest12(context) {
  const project = await newProject(context, 12);
  await project.install(context.tarball);
  await addFeishu(project, { flags: ['--health', '--webhook'], isEsm: true });
  await project.install();
  await testBuildAndStart(project);
  return versions(project);
}

async function newProject({ id, folder, cli, feishu }, major) {
  await cli.newApplication(major, folder, id);
  return new Project({ folder: join(folder, id), environment: feishu.environment });
}

async function testBuildAndStart(project) {
  await project.script('test');
  await project.script('test:e2e');
  await project.script('build');
  assertTokens(await project.startAndAsk(['node', 'dist/main'], '/feishu'));
}

async function versions(project) {
  const names = ['@nestjs/core', 'typescript', 'jest', 'vitest'];
  const found = await Promise.all(
    names.map(async (name) => {
      const text = await project.read(`node_modules/${name}/package.json`).catch(() => undefined);
      return text === undefined ? [] : [`${name} ${JSON.parse(text).version}`];
    }),
  );
  return found.flat().join(', ');
}
