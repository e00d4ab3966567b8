/** How the app proves to the OAuth endpoints that it is itself: the fields that a request carries for it. */
export type ClientAuthentication = (request: {
  /** The endpoint that the fields are for. */
  readonly url: string;
  readonly signal?: AbortSignal | undefined;
}) => Promise<Readonly<Record<string, string>>>;

/** By the app secret. */
export function secretAuthentication(appSecret: string): ClientAuthentication {
  const fields = { client_secret: appSecret };
  return () => Promise.resolve(fields);
}
