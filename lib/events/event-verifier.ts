import { type ResolvedEventOptions } from '../feishu-auth.options.js';
import { type Clock } from '../time/clock.js';
import { parseJsonObject, type JsonObject } from './event-body.js';
import { EventCipher } from './event-cipher.js';
import { signatureIn, type EventDelivery } from './event-delivery.js';
import { parseEnvelope, type Envelope } from './event-envelope.js';
import { refused, type EventRefusal, type EventRefusalReason } from './event-refusal.js';
import { isSameText, isSignedBy } from './event-signature.js';
import { isTimely } from './event-time.js';
import { type FeishuEvent } from './feishu-event.js';

/** The result of verifying a delivery. */
export type Verdict =
  | EventRefusal
  | { readonly kind: 'challenge'; readonly challenge: string }
  | {
      readonly kind: 'event';
      readonly event: FeishuEvent;
      /** Timestamp and nonce of the signature, which are unique to this delivery; absent if it was not signed. */
      readonly proof: string | undefined;
    };

/** A `url_verification` is not signed: limits how much unsigned input is decrypted. */
const MAX_CHALLENGE_BYTES = 4_096;

export interface VerifierDependencies {
  readonly appId: string;
  readonly options: ResolvedEventOptions;
  readonly clock: Clock;
}

/**
 * Decides whether a delivery comes from Feishu. With an Encrypt Key the signature decides, and only what was encrypted
 * counts. With a Verification Token alone that token decides.
 */
export class EventVerifier {
  readonly #deps: VerifierDependencies;
  readonly #cipher: EventCipher | undefined;

  constructor(deps: VerifierDependencies) {
    this.#deps = deps;
    const { encryptKey } = deps.options;
    this.#cipher = encryptKey === undefined ? undefined : new EventCipher(encryptKey);
  }

  verify(delivery: EventDelivery): Verdict {
    const { encryptKey } = this.#deps.options;
    if (encryptKey === undefined || !this.#cipher) return this.#verifyPlain(delivery);
    return this.#verifyEncrypted(delivery, encryptKey, this.#cipher);
  }

  #verifyEncrypted({ headers, rawBody }: EventDelivery, encryptKey: string, cipher: EventCipher): Verdict {
    const { clock, options } = this.#deps;
    const signed = signatureIn(headers);
    const isSigned = isSignedBy(signed, encryptKey, rawBody);
    if (!isSigned && rawBody.length > MAX_CHALLENGE_BYTES) return refused('signature');
    const body = parseJsonObject(rawBody);
    // Fields next to `encrypt` are unauthenticated; ignore them.
    const opened = cipher.decryptJson(body?.['encrypt']);
    const envelope = opened && parseEnvelope(opened);
    if (envelope?.kind === 'challenge') return this.#challenge(envelope);

    if (!isSigned) return refused('signature');
    if (!isTimely(signed.timestamp, clock.now(), options.maxSkewMs)) return refused('timestamp');
    if (!body) return refused('body');
    if (!opened) return refused('encryption');
    // Joined as they were signed: a digit moved from one to the other gives the same proof.
    return this.#event(envelope, signed.timestamp + signed.nonce);
  }

  #verifyPlain({ rawBody }: EventDelivery): Verdict {
    const body: JsonObject | undefined = parseJsonObject(rawBody);
    if (!body) return refused('body');
    if (body['encrypt'] !== undefined) return refused('encryption');
    const envelope = parseEnvelope(body);
    return envelope?.kind === 'challenge' ? this.#challenge(envelope) : this.#event(envelope, undefined);
  }

  #challenge({ challenge, token }: Envelope & { kind: 'challenge' }): Verdict {
    const reason = this.#tokenRefusal(token);
    return reason ? refused(reason) : { kind: 'challenge', challenge };
  }

  #event(envelope: Envelope | undefined, proof: string | undefined): Verdict {
    if (envelope?.kind !== 'event') return refused('body');
    const { event, token } = envelope;
    const reason = this.#tokenRefusal(token) ?? (event.appId === this.#deps.appId ? undefined : 'app');
    return reason ? refused(reason) : { kind: 'event', event, proof };
  }

  #tokenRefusal(token: unknown): EventRefusalReason | undefined {
    const { verificationToken } = this.#deps.options;
    if (verificationToken === undefined) return undefined;
    return typeof token === 'string' && isSameText(token, verificationToken) ? undefined : 'token';
  }
}
