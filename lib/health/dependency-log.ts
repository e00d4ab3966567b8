import { type ThrottledLog } from '../time/throttled-log.js';

/** Logs that the shared store or the lock stops working, and that it works again: one line for each change. */
export class DependencyLog {
  constructor(private readonly log: ThrottledLog) {}

  /** @param problem `undefined`: it works again */
  storeChanged(problem: string | undefined): void {
    if (problem === undefined) this.log.say('log', 'store works', 'shared store: works again');
    else {
      this.log.say(
        'warn',
        'store fails',
        `shared store: ${problem}. Until it works, this process shares no tokens with others and asks Feishu itself`,
      );
    }
  }

  /** @param problem `undefined`: it works again */
  lockChanged(problem: string | undefined): void {
    if (problem === undefined) this.log.say('log', 'lock works', 'lock: works again');
    else {
      this.log.say(
        'warn',
        'lock fails',
        `lock: ${problem}. Until it works, processes may renew the same token at once`,
      );
    }
  }
}
