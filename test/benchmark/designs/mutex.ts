/** From here on, those that have been let through are taken off the list. */
const LIST_LIMIT = 4_096;

/** First come, first served. Taking a free one costs no promise. */
export class Mutex {
  private isHeld = false;
  private readonly waiting: (() => void)[] = [];
  private granted = 0;

  lock(): Promise<void> | undefined {
    if (!this.isHeld) {
      this.isHeld = true;
      return undefined;
    }
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  unlock(): void {
    const grant = this.waiting[this.granted++];
    if (!grant || this.granted >= LIST_LIMIT) {
      this.waiting.splice(0, this.granted);
      this.granted = 0;
    }
    if (grant) grant();
    else this.isHeld = false;
  }
}
