import { SlotFailureState } from './slot-failure-state.js';

class Slot extends SlotFailureState {}

describe('SlotTroubles', () => {
  it('has none at first', () => {
    expect(new Slot()).toMatchObject({
      nextAttemptAt: -Infinity,
      failFastUntil: -Infinity,
      renewalFailures: 0,
      emptyFailures: 0,
      contentions: 0,
      lastFailure: undefined,
      rejected: undefined,
      rejectedBefore: undefined,
      confirmed: undefined,
      unshared: undefined,
      longestAskedFor: undefined,
    });
  });

  it('are those of one slot alone', () => {
    const [troubled, other] = [new Slot(), new Slot()];
    troubled.nextAttemptAt = 5;
    troubled.renewalFailures++;
    troubled.longestAskedFor = 't';
    expect(troubled).toMatchObject({ nextAttemptAt: 5, renewalFailures: 1, longestAskedFor: 't' });
    expect(other).toMatchObject({ nextAttemptAt: -Infinity, renewalFailures: 0, longestAskedFor: undefined });
    expect(new Slot().nextAttemptAt).toBe(-Infinity);
  });

  it('can be taken back', () => {
    const slot = new Slot();
    slot.failFastUntil = 5;
    slot.failFastUntil = -Infinity;
    expect(slot.failFastUntil).toBe(-Infinity);
  });
});
