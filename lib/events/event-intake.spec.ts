import { envelopeOf, signedRequest, type EmulatedEvent } from '../testing/emulator-event-body.js';
import { TestClock } from '../testing/test-clock.js';
import { StoreWorld } from '../../test/fixtures/store-world.js';
import { type EventDispatcher } from './event-dispatcher.js';
import { MAX_WAITING } from './event-queue.js';
import { type FeishuEvent } from './feishu-event.js';
import { type FeishuEventReply } from './feishu-event-reply.js';

const KEYS = { encryptKey: 'an encrypt key' };
const CONCURRENCY = 32;
const hang = (): Promise<never> => new Promise(() => undefined);

describe('EventIntake', () => {
  let world: StoreWorld;
  let dispatcher: EventDispatcher;
  beforeEach(() => {
    world = new StoreWorld();
    ({ dispatcher } = world.endpoint);
  });
  afterEach(() => world.close());

  const metrics = () => world.engine.eventMetrics.snapshot();

  /** Delivers an event; its handlers have not run yet. */
  function receive(event: EmulatedEvent): Promise<FeishuEventReply> {
    const envelope = envelopeOf(world.engine.options.appId, event, KEYS, world.clock.now());
    const { headers, body } = signedRequest(envelope, KEYS, world.clock.now());
    return world.settle(world.events.receive(headers, body));
  }

  /** As many handlers run and wait as the queue has room for. @returns ends those that run */
  function fillQueue(): () => void {
    const ends: (() => void)[] = [];
    dispatcher.register('filling', 'Bot.onFilling', () => new Promise<void>((resolve) => ends.push(resolve)));
    const event = { eventType: 'filling' } as FeishuEvent;
    for (let i = 0; i < CONCURRENCY + MAX_WAITING; i++) dispatcher.prepare(event)?.start();
    expect(metrics().handlers.pending).toBe(CONCURRENCY + MAX_WAITING);
    return () => {
      for (const end of ends.splice(0)) end();
    };
  }

  describe('with a full queue', () => {
    it('H9 answers 503 before it claims the event, and accepts the event later', async () => {
      let handled = 0;
      dispatcher.register('message', 'Bot.onMessage', () => handled++);
      const endRunning = fillQueue();
      const event = { type: 'message', tenantKey: 'tenant_a', eventId: 'e-1' };
      expect(await receive(event)).toMatchObject({ status: 503, outcome: 'busy' });
      expect(metrics()).toMatchObject({ received: 1, accepted: 0, busy: 1 });
      expect(world.logged.filter((line) => line.includes('answered 503'))).toHaveLength(1);

      endRunning();
      await TestClock.settle();
      expect(await receive(event)).toMatchObject({ status: 200, outcome: 'event' });
      expect(metrics()).toMatchObject({ accepted: 1, duplicates: 0 });
      while (metrics().handlers.pending > 0) {
        endRunning();
        await TestClock.settle();
      }
      expect(handled).toBe(1);
    });

    it('H9 refuses a forged delivery as usual', async () => {
      fillQueue();
      expect(await world.events.receive({}, '{"encrypt":"AAAA"}')).toMatchObject({ status: 403 });
    });

    it('H9 accepts an event without handlers', async () => {
      fillQueue();
      expect(await receive({ type: 'unhandled' })).toMatchObject({ status: 200, outcome: 'event' });
    });

    it('H9 applies a ticket although it answers 503', async () => {
      dispatcher.register('*', 'Bot.onAny', () => undefined);
      fillQueue();
      const ticket: EmulatedEvent = { type: 'app_ticket', schema: '1.0', event: { app_ticket: 'ticket-1' } };
      expect(await receive(ticket)).toMatchObject({ status: 503 });
      expect(world.engine.tickets.held()).toBe('ticket-1');
    });

    it('H9 keeps room for the events that it is about to accept', async () => {
      dispatcher.register('message', 'Bot.onMessage', hang);
      for (let i = 0; i < CONCURRENCY + MAX_WAITING - 1; i++) {
        dispatcher.prepare({ eventType: 'message' } as FeishuEvent)?.start();
      }
      const deliveries = [1, 2, 3].map((n) => receive({ type: 'message', eventId: `e-${n}` }));
      const outcomes = (await Promise.all(deliveries)).map(({ outcome }) => outcome);
      expect(outcomes.toSorted()).toEqual(['busy', 'busy', 'event']);
    });
  });

  it('frees the room of a duplicate and of a replay', async () => {
    dispatcher.register('message', 'Bot.onMessage', () => undefined);
    const event = { type: 'message', eventId: 'e-1' };
    await receive(event);
    expect(await receive(event)).toMatchObject({ outcome: 'duplicate' });
    await TestClock.settle();
    // Nothing is left to wait for.
    const closed = world.events.onModuleDestroy();
    expect(world.clock.pendingTimers).toBe(0);
    await closed;
  });

  it('H9 counts and logs the handlers that the end of the application cuts off', async () => {
    dispatcher.register('message', 'Bot.onMessage', hang);
    for (let i = 0; i < 40; i++) await receive({ type: 'message', eventId: `e-${i}` });
    await TestClock.settle();
    await world.settle(world.events.onModuleDestroy());
    expect(metrics().handlers).toMatchObject({ dropped: 40, done: 0 });
    expect(world.logged.filter((line) => line.includes('before 40 event handler(s) ended'))).toHaveLength(1);
  });

  it('answers 503 to a delivery that arrives while the application closes', async () => {
    await world.events.onModuleDestroy();
    expect(await receive({ type: 'message' })).toMatchObject({ status: 503, outcome: 'closing' });
  });

  it('G answers within a second although what the module does with the event hangs', async () => {
    world.engine.tickets.receive = hang;
    const before = world.clock.monotonic();
    const ticket: EmulatedEvent = { type: 'app_ticket', schema: '1.0', event: { app_ticket: 'ticket-1' } };
    expect(await receive(ticket)).toMatchObject({ status: 200 });
    expect(world.clock.monotonic() - before).toBeLessThanOrEqual(1_050);
  });
});
