import 'reflect-metadata';

/** Metadata key of the events that a method handles. */
const HANDLES = Symbol.for('nestjs-feishu-auth:handles');

/**
 * Options of {@link OnFeishuEvent}.
 *
 * @publicApi
 */
export interface OnFeishuEventOptions {
  /** The instance of the module whose events the method handles. @default the unnamed instance */
  name?: string;
}

/** An event that a method handles. */
export interface HandledEvent {
  readonly eventType: string;
  readonly instance: string;
}

/** Matches every event type. */
export const ANY_EVENT = '*';

/**
 * Calls the method for every event of this type, after the delivery was verified and answered. Works for methods of
 * singleton providers and controllers. Several methods may handle one type; if one fails, the failure is logged and the
 * others still run.
 *
 * One process of a fleet that shares a lock handles an event, once. The event is lost if that process ends before the
 * method does.
 *
 * @param eventType as Feishu documents it, such as `im.message.receive_v1`; `'*'` for every type
 * @throws TypeError if it decorates anything but a method
 *
 * @example
 * @OnFeishuEvent('im.message.receive_v1')
 * async onMessage({ tenantKey, event }: FeishuEvent<{ message: { content: string } }>): Promise<void> {}
 *
 * @publicApi
 */
export function OnFeishuEvent(eventType: string, options: OnFeishuEventOptions = {}): MethodDecorator {
  return (target, key, descriptor: PropertyDescriptor) => {
    const method: unknown = descriptor.value;
    if (typeof method !== 'function') {
      throw new TypeError(
        `@OnFeishuEvent('${eventType}') on ${target.constructor.name}.${String(key)}: decorate a method`,
      );
    }
    const handled: HandledEvent = { eventType, instance: options.name ?? 'default' };
    Reflect.defineMetadata(HANDLES, [handled, ...handledBy(method)], method);
  };
}

/** The events that `method` handles, in the order of its decorators. */
export function handledBy(method: unknown): readonly HandledEvent[] {
  if (typeof method !== 'function') return [];
  return (Reflect.getMetadata(HANDLES, method) as HandledEvent[] | undefined) ?? [];
}
