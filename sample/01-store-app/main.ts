import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { show } from './show.js';

// Signatures are checked over the bytes as they came in: without rawBody the endpoint refuses everything.
const app = await NestFactory.create(AppModule, { logger: ['error', 'fatal'], rawBody: true });
await app.listen(0, '127.0.0.1');
try {
  await show(app);
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await app.close();
}
