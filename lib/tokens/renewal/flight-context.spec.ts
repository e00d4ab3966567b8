import { flightBegan, flightContext, flightEnded } from './flight-context.js';

describe('flightContext', () => {
  it('is on as long as any flight is under way, and off between flights', () => {
    const within = new Set(['key']);
    flightContext.run(within, () => {
      flightBegan();
      flightBegan();
      flightEnded();
      expect(flightContext.getStore()).toBe(within);
      flightEnded();
      expect(flightContext.getStore()).toBeUndefined();
    });
    flightContext.run(within, () => expect(flightContext.getStore()).toBe(within));
  });
});
