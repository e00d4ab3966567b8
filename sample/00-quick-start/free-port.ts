import { createServer } from 'node:net';

/** Returns `wanted` if the port is free; otherwise prints a line and returns 0, which lets the system choose. */
export async function freePort(wanted: number, host: string): Promise<number> {
  if (await isFree(wanted, host)) return wanted;
  console.log(`Port ${wanted} is in use: using a free port. Set PORT to choose one.\n`);
  return 0;
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(error);
    });
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
