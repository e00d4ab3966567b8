import { Controller, Injectable, Module, Scope, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  type FeishuEvent,
  FeishuAuthModule,
  FeishuEventService,
  getFeishuServiceToken,
  isFeishuAuthError,
  OnFeishuEvent,
} from '../lib/index.js';
import { envelopeOf } from '../lib/testing/emulator-event-body.js';
import { closeApps } from './fixtures/close-apps.js';
import { until } from './fixtures/feishu-platform.js';

const APP = { appId: 'cli_a1b2c3', appSecret: 'a secret' };
const TOKEN = { verificationToken: 'the-token' };
const OPTIONS = { ...APP, events: TOKEN, prewarm: false } as const;

const calls: string[] = [];

@Injectable()
class Base {
  @OnFeishuEvent('inherited')
  inherited(): void {
    calls.push(`${this.constructor.name}.inherited`);
  }

  @OnFeishuEvent('overridden')
  overridden(): void {
    calls.push('Base.overridden');
  }
}

@Injectable()
class Service extends Base {
  private readonly name = 'service';

  @OnFeishuEvent('one')
  @OnFeishuEvent('two')
  several({ eventType }: FeishuEvent): void {
    calls.push(`${this.name} ${eventType}`);
  }

  override overridden(): void {
    calls.push('Service.overridden');
  }

  @OnFeishuEvent('one')
  another(): void {
    calls.push('another one');
  }

  get trap(): never {
    throw new Error('a getter was run');
  }
}

@Controller('somewhere')
class SomeController {
  @OnFeishuEvent('one')
  onOne(): void {
    calls.push('controller one');
  }
}

@Injectable()
class OfLark {
  @OnFeishuEvent('one', { name: 'lark' })
  onOne(): void {
    calls.push('lark one');
  }
}

describe('@OnFeishuEvent()', () => {
  beforeEach(() => {
    calls.length = 0;
  });

  async function send(events: FeishuEventService, type: string): Promise<number> {
    const body = JSON.stringify(envelopeOf(APP.appId, { type }, TOKEN, Date.now()));
    return (await events.receive({}, body)).status;
  }

  it('finds methods of providers and controllers, also inherited and several for one event', async () => {
    @Module({
      controllers: [SomeController],
      providers: [
        { provide: 'made', useFactory: () => new Service() },
        { provide: 'again', useExisting: 'made' },
        { provide: 'nothing', useValue: null },
        { provide: 'bare', useValue: Object.create(null) },
      ],
    })
    class Feature {}
    const module = await Test.createTestingModule({
      imports: [FeishuAuthModule.forRoot(OPTIONS), Feature],
    }).compile();
    await module.init();
    const events = module.get(FeishuEventService);
    for (const type of ['one', 'two', 'inherited', 'overridden', 'without.handlers']) {
      expect(await send(events, type)).toBe(200);
    }
    await until(() => calls.length >= 5);
    expect(calls.toSorted()).toEqual([
      'Service.inherited',
      'another one',
      'controller one',
      'service one',
      'service two',
    ]);
    await module.close();
  });

  it('passes to the handlers of an instance its own events only', async () => {
    const module = await Test.createTestingModule({
      imports: [FeishuAuthModule.forRoot(OPTIONS), FeishuAuthModule.forRoot({ ...OPTIONS, name: 'lark' })],
      providers: [OfLark, Service],
    }).compile();
    await module.init();
    const ofLark = module.get<FeishuEventService>(getFeishuServiceToken(FeishuEventService, 'lark'));
    await send(ofLark, 'one');
    await until(() => calls.length > 0);
    expect(calls).toEqual(['lark one']);
    await send(module.get(FeishuEventService), 'one');
    await until(() => calls.length > 2);
    expect(calls.toSorted()).toEqual(['another one', 'lark one', 'service one']);
    await module.close();
  });

  async function startError(provider: Type, options: object = OPTIONS): Promise<unknown> {
    const module = await Test.createTestingModule({
      imports: [FeishuAuthModule.forRoot(options as typeof OPTIONS)],
      providers: [provider],
    }).compile();
    const error = await module.init().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    await closeApps([module]);
    return error;
  }

  it.each([
    ['request', Scope.REQUEST],
    ['transient', Scope.TRANSIENT],
  ])('is refused at start-up on a provider of %s scope', async (_name, scope) => {
    @Injectable({ scope })
    class Fleeting {
      @OnFeishuEvent('one')
      onOne(): void {}
    }
    const error = await startError(Fleeting);
    expect(isFeishuAuthError(error, 'ERR_FEISHU_CONFIG_INVALID')).toBe(true);
    expect(String(error)).toContain('Fleeting.onOne');
  });

  it('is refused at start-up if its instance does not exist', async () => {
    const error = await startError(OfLark);
    expect(String(error)).toContain("OfLark.onOne: there is no instance named 'lark'");
  });

  it('is refused on anything but a method', () => {
    expect(() => {
      class Wrong {
        @OnFeishuEvent('one')
        get value(): number {
          return 1;
        }
      }
      return Wrong;
    }).toThrow(TypeError);
  });
});

describe('FeishuEventService.receive()', () => {
  it.each([
    ['a parsed body', OPTIONS, { type: 'url_verification' }],
    ['a missing body', OPTIONS, undefined],
    ['an instance without events', { ...APP, prewarm: false }, '{}'],
  ])('rejects %s', async (_name, options, body) => {
    const module = await Test.createTestingModule({
      imports: [FeishuAuthModule.forRoot(options as typeof OPTIONS)],
    }).compile();
    const receiving = module.get(FeishuEventService).receive({}, body as string);
    await expect(receiving).rejects.toMatchObject({ code: 'ERR_FEISHU_INVALID_ARGUMENT' });
    await module.close();
  });
});

describe('the events option', () => {
  it.each([
    [{ events: {} }, {}, 'events: needs encryptKey'],
    [
      { events: { encryptKey: undefined } },
      { webhookPath: 'feishu' },
      'webhookPath: needs events.encryptKey',
    ],
    [{}, { webhookPath: 'feishu' }, 'webhookPath: needs events.encryptKey'],
    [{ events: TOKEN }, { webhookPath: '' }, 'webhookPath: must be a path'],
    [{ events: TOKEN }, { webhookPath: ':any' }, 'webhookPath: must be a path'],
    [{ events: { encryptKey: ' ' } }, {}, 'events.encryptKey: must not be empty'],
  ])('refuses to start with %j and %j', async (options, extras, problem) => {
    const settings = { ...APP, ...options, ...extras } as Parameters<typeof FeishuAuthModule.forRoot>[0];
    const compiling = Test.createTestingModule({ imports: [FeishuAuthModule.forRoot(settings)] }).compile();
    await expect(compiling).rejects.toMatchObject({
      code: 'ERR_FEISHU_CONFIG_INVALID',
      message: expect.stringContaining(problem),
    });
  });
});
