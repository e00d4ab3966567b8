/** The part of Node's `ServerResponse` that tells whether the reply is sent. */
export interface SendableResponse {
  readonly writableFinished?: boolean;
  readonly destroyed?: boolean;
  once(event: 'finish' | 'close', listener: () => void): unknown;
}

/**
 * Resolves when the reply is sent or the connection is gone, whichever comes first. Listen from the start of the request:
 * a connection that was cut earlier emits nothing more.
 */
export function replySent(response: SendableResponse): Promise<void> {
  if (response.writableFinished === true || response.destroyed === true) return Promise.resolve();
  return new Promise((resolve) => {
    response.once('finish', resolve);
    response.once('close', resolve);
  });
}
