/** Many readers or one writer; a writer that waits goes before readers that come later, as in tokio's RwLock. */
export class ReadersWriterLock {
  private readers = 0;
  private isWriting = false;
  private readonly waiting: { isWriter: boolean; grant: () => void }[] = [];

  lockRead(): Promise<void> | undefined {
    if (!this.isWriting && this.waiting.length === 0) {
      this.readers++;
      return undefined;
    }
    return this.wait(false);
  }

  unlockRead(): void {
    this.readers--;
    this.grantNext();
  }

  lockWrite(): Promise<void> | undefined {
    if (!this.isWriting && this.readers === 0) {
      this.isWriting = true;
      return undefined;
    }
    return this.wait(true);
  }

  unlockWrite(): void {
    this.isWriting = false;
    this.grantNext();
  }

  private wait(isWriter: boolean): Promise<void> {
    return new Promise((grant) => {
      this.waiting.push({ isWriter, grant });
    });
  }

  private grantNext(): void {
    let granted = 0;
    for (const { isWriter, grant } of this.waiting) {
      if (this.isWriting || (isWriter && this.readers > 0)) break;
      if (isWriter) this.isWriting = true;
      else this.readers++;
      granted++;
      grant();
    }
    if (granted > 0) this.waiting.splice(0, granted);
  }
}
