import { type CallHandler, type ExecutionContext, type INestApplicationContext } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { FeishuAuth, FeishuAuthInterceptor } from 'nestjs-feishu-auth';
import { isObservable, of } from 'rxjs';
import { ASYNC_BATCH as batch, type ReadLoop } from './read-loop.js';

class Controller {
  @FeishuAuth()
  handler(): string {
    return 'done';
  }
}

/** What the interceptor adds to a request, without HTTP around it: the handler alone, and with the interceptor. */
export function interceptorLoops(app: INestApplicationContext): ReadLoop[] {
  const interceptor = new FeishuAuthInterceptor(app.get(ModuleRef));
  const next: CallHandler<string> = { handle: () => of('done') };
  // The methods that the interceptor asks; Nest's own class for it is not exported.
  const context = {
    // oxlint-disable-next-line typescript/unbound-method -- only its metadata are looked at
    getHandler: () => Controller.prototype.handler,
    getClass: () => Controller,
    getType: () => 'http',
  } as unknown as ExecutionContext;
  let answered = 0;
  const count = (): void => void answered++;
  return [
    {
      id: 'handler-alone',
      name: 'a handler',
      batch,
      run(times) {
        for (let i = 0; i < times; i++) next.handle().subscribe(count);
        return answered;
      },
    },
    {
      id: 'handler-intercepted',
      name: 'a handler behind @FeishuAuth()',
      batch,
      run(times) {
        for (let i = 0; i < times; i++) {
          const result = interceptor.intercept(context, next);
          if (isObservable(result)) result.subscribe(count);
          else throw new Error('the token was not there');
        }
        return answered;
      },
    },
  ];
}
