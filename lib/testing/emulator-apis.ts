import { type BearerCheck, isRefusal } from './bearer-check.js';
import { type EmulatorEndpoints } from './emulator-endpoints.js';
import { success } from './emulator-reply.js';
import { type EmulatedIdentity } from './emulator-tokens.js';

/**
 * A call of an API that a test has added.
 *
 * @publicApi
 */
export interface EmulatedApiCall {
  /** Whom the bearer stands for; absent where the API takes no token. */
  identity?: EmulatedIdentity;
  /** What stood in the place of each `:name` of the path. */
  parameters: Partial<Record<string, string>>;
  query: URLSearchParams;
  /** The JSON object that was sent; `undefined` if the body was something else. */
  body: Partial<Record<string, unknown>> | undefined;
}

/**
 * Makes the `data` of an answer from the call.
 *
 * @publicApi
 */
export type EmulatedApiData = (call: EmulatedApiCall) => object | Promise<object>;

/**
 * An API that the application under test calls and the emulator does not have.
 *
 * @publicApi
 */
export interface EmulatedApi {
  /** @default 'GET' */
  method?: string;
  /** May have `:name` for a segment that can be anything. */
  path: string;
  /** Which tokens it takes; `[]` for none, so that no bearer is looked at. @default ['tenant'] */
  accepts?: readonly EmulatedIdentity['kind'][];
  /** What a user access token needs: one of these scopes. Without any it is refused with 99991679. @default [] */
  scopes?: readonly string[];
  /** The `data` of the answer, or what makes it from the call. */
  data: object | EmulatedApiData;
}

/**
 * APIs that a test adds. Their bearer is checked as that of any API.
 *
 * @example
 * emulator.apis.add({ path: '/open-apis/calendar/v4/calendars/:id', data: ({ parameters }) => ({ id: parameters['id'] }) });
 *
 * @publicApi
 */
export class EmulatorApis {
  /** @internal */
  constructor(
    private readonly endpoints: EmulatorEndpoints,
    private readonly bearer: BearerCheck,
  ) {}

  /** Adds an API, or replaces one that has this method and path. */
  add({ method = 'GET', path, accepts = ['tenant'], scopes = [], data }: EmulatedApi): void {
    this.endpoints.add(method, path, async (request, parameters) => {
      const call: EmulatedApiCall = { parameters, query: request.query, body: await request.fields() };
      if (accepts.length > 0) {
        const identity = this.bearer.check(request.headers.authorization, accepts, scopes);
        if (isRefusal(identity)) return identity;
        call.identity = identity;
      }
      return success(isMaker(data) ? await data(call) : data);
    });
  }
}

function isMaker(data: object): data is EmulatedApiData {
  return typeof data === 'function';
}
