import { createServer } from 'node:net';

/** `wanted` if nobody listens there, else any other; says so. */
export async function freePort(wanted: number, host: string): Promise<number> {
  if (await isFree(wanted, host)) return wanted;
  console.log(`Port ${wanted} is taken (PORT=... chooses another): using a free one.\n`);
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
