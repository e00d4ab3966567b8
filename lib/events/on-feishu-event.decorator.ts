import 'reflect-metadata';

/** Where {@link OnFeishuEvent} leaves its mark. */
const HANDLES = Symbol.for('nestjs-feishu-auth:handles');

/**
 * @publicApi
 */
export interface OnFeishuEventOptions {
  /** Of which instance of the module. @default the unnamed one */
  name?: string;
}

/** What a method handles. @internal */
export interface HandledEvent {
  readonly eventType: string;
  readonly instance: string;
}

/** Stands for every type of event. */
export const ANY_EVENT = '*';

/**
 * Calls the method for every event of this type, after the delivery was verified and answered; `'*'` for every type.
 * For any method of a provider or controller that lives as long as the application. Several methods may handle one
 * type; one that fails is logged and keeps nothing from the others. An event is handed to one process of a fleet that
 * shares a lock, once; it is lost if that process ends in the middle of it.
 *
 * @param eventType as in the event's documentation, e.g. `im.message.receive_v1`
 *
 * @example
 * @OnFeishuEvent('im.message.receive_v1')
 * async onMessage({ tenantKey, event }: FeishuEvent<{ message: { content: string } }>): Promise<void> {}
 *
 * @publicApi
 */
export function OnFeishuEvent(eventType: string, options: OnFeishuEventOptions = {}): MethodDecorator {
  return (_target, _key, descriptor: PropertyDescriptor) => {
    const method: unknown = descriptor.value;
    if (typeof method !== 'function') throw new TypeError('@OnFeishuEvent() is for methods');
    const handled: HandledEvent = { eventType, instance: options.name ?? 'default' };
    Reflect.defineMetadata(HANDLES, [handled, ...handledBy(method)], method);
  };
}

/** What `method` handles, in the order it says so. @internal */
export function handledBy(method: unknown): readonly HandledEvent[] {
  if (typeof method !== 'function') return [];
  return (Reflect.getMetadata(HANDLES, method) as HandledEvent[] | undefined) ?? [];
}
