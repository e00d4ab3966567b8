import { EmulatorEndpoints } from './emulator-endpoints.js';
import { success, text } from './emulator-reply.js';
import { type EmulatorRequest } from './emulator-request.js';

const request = {} as EmulatorRequest;

describe('EmulatorEndpoints', () => {
  it('finds by method and path, with what stood in the place of a name', async () => {
    const endpoints = new EmulatorEndpoints();
    endpoints.add('get', '/a/:id/b', (_request, parameters) => success({ parameters }));
    const reply = await endpoints.find('GET', '/a/7/b/')?.(request);
    expect(reply?.body).toContain('{"id":"7"}');
    expect(endpoints.find('POST', '/a/7/b')).toBeUndefined();
    expect(endpoints.find('GET', '/a/7')).toBeUndefined();
    expect(endpoints.find('GET', '/b/7/b')).toBeUndefined();
  });

  it('prefers the one that was added last', async () => {
    const endpoints = new EmulatorEndpoints();
    endpoints.add('*', '/a', () => text('first'));
    endpoints.add('GET', '/a', () => text('second'));
    expect((await endpoints.find('GET', '/a')?.(request))?.body).toBe('second');
    expect((await endpoints.find('PUT', '/a')?.(request))?.body).toBe('first');
  });
});
