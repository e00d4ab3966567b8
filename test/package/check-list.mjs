/** Runs named checks one by one, prints a line for each, and ends the process with the sum. */
export class CheckList {
  #passed = 0;
  #failed = 0;

  /** @param {string} name @param {() => unknown} check fails by throwing; what it returns as text is printed beside the name */
  async run(name, check) {
    try {
      const note = await check();
      this.#passed += 1;
      console.log(`${name}: passed${typeof note === 'string' ? ` (${note})` : ''}`);
    } catch (error) {
      this.#failed += 1;
      console.log(`${name}: FAILED\n${indent(error instanceof Error ? error.message : String(error))}`);
    }
  }

  end() {
    console.log(`${this.#passed} passed, ${this.#failed} failed`);
    process.exitCode = this.#failed === 0 && this.#passed > 0 ? 0 : 1;
  }
}

const indent = (text) => text.trimEnd().replaceAll(/^/gm, '    ');
