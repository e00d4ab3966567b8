#!/usr/bin/env node
import { CLI_HELP, greeting, parseCommandLine } from './emulator-cli.js';
import { FeishuEmulator } from './feishu-emulator.js';
import { type RequestLogEntry } from './feishu-emulator.options.js';

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

const command = parseCommandLine(process.argv.slice(2));
if (command.kind === 'help') {
  process.stdout.write(CLI_HELP);
} else if (command.kind === 'mistake') {
  complain(`${command.message}\nTry --help.`, EXIT_USAGE);
} else {
  try {
    const { app, options } = command;
    const emulator = await FeishuEmulator.start({ ...options, onRequest: logRequest });
    // Nothing delivers a ticket to a command line's application, so the user has to see it.
    emulator.tickets.on(({ appTicket }) => console.log(`app_ticket ${appTicket}`));
    console.log(greeting(emulator.domain.open, app));
    if (app.appType === 'store') console.log(`app_ticket ${emulator.apps.ticket(app.appId)}`);
    const stop = (): void => void emulator.stop();
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error), EXIT_FAILURE);
  }
}

function logRequest({ method, path, status, code }: RequestLogEntry): void {
  console.log(`${method} ${path} ${status === 0 ? 'no answer' : `${status} code ${code}`}`);
}

function complain(message: string, exitCode: number): void {
  process.stderr.write(`feishu-emulator: ${message}\n`);
  process.exitCode = exitCode;
}
