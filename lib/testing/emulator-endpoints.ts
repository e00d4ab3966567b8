import { type EmulatorReply } from './emulator-reply.js';
import { type EmulatorRequest, withoutTrailingSlash } from './emulator-request.js';

/** @internal */
export type PathParameters = Partial<Record<string, string>>;

/** @internal */
export type EndpointHandler = (
  request: EmulatorRequest,
  parameters: PathParameters,
) => EmulatorReply | Promise<EmulatorReply>;

interface Endpoint {
  /** `'*'` for any. */
  readonly method: string;
  readonly segments: readonly string[];
  readonly handle: EndpointHandler;
}

/**
 * Which handler answers which method and path. The last one added wins, so that a test can replace an endpoint.
 *
 * @internal
 */
export class EmulatorEndpoints {
  private readonly endpoints: Endpoint[] = [];

  /** @param path may have `:name` for a segment that can be anything */
  add(method: string, path: string, handle: EndpointHandler): void {
    this.endpoints.unshift({ method: method.toUpperCase(), segments: split(path), handle });
  }

  /** @returns `undefined` where nothing answers */
  find(method: string, path: string): ((request: EmulatorRequest) => Promise<EmulatorReply>) | undefined {
    const segments = split(path);
    for (const endpoint of this.endpoints) {
      if (endpoint.method !== '*' && endpoint.method !== method) continue;
      const parameters = capture(endpoint.segments, segments);
      if (parameters) return async (request) => endpoint.handle(request, parameters);
    }
    return undefined;
  }
}

function split(path: string): string[] {
  return withoutTrailingSlash(path).split('/');
}

function capture(pattern: readonly string[], segments: readonly string[]): PathParameters | undefined {
  if (pattern.length !== segments.length) return undefined;
  const parameters: PathParameters = {};
  for (const [index, expected] of pattern.entries()) {
    const actual = segments[index] ?? '';
    if (expected.startsWith(':')) parameters[expected.slice(1)] = actual;
    else if (expected !== actual) return undefined;
  }
  return parameters;
}
