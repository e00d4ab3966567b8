import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { LogBook } from './log-book.js';
import { show } from './show.js';

const log = new LogBook();
const app = await NestFactory.createApplicationContext(AppModule, { logger: log });
try {
  await show(app, log);
} finally {
  // After close() nothing keeps the process alive.
  await app.close();
}
