import { spawn } from 'node:child_process';

/**
 * Runs a program and gives back its standard output.
 * Throws, with all it wrote, when it fails or is not done in time: a process that does not end by itself is a failure.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string; env?: NodeJS.ProcessEnv; timeoutMs?: number; echo?: boolean }} [options]
 * @returns {Promise<string>}
 */
export function runProcess(command, args, { cwd, env = process.env, timeoutMs = 60_000, echo = false } = {}) {
  return new Promise((resolve, reject) => {
    // npm is a script on Windows, which only a shell can start.
    const shell = process.platform === 'win32' && command === 'npm';
    const child = spawn(command, args, {
      cwd,
      env,
      shell,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let all = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      stdout += chunk;
      all += chunk;
      if (echo) process.stdout.write(chunk);
    });
    child.stderr.setEncoding('utf8').on('data', (chunk) => {
      all += chunk;
      if (echo) process.stderr.write(chunk);
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(stdout);
      const ended = signal === null ? `exit code ${code}` : `${signal}, time limit ${timeoutMs} ms`;
      reject(new Error(`${command} ${args.join(' ')}: ${ended}${echo ? '' : `\n${all}`}`));
    });
  });
}
