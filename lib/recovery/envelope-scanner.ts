/** Feishu's codes are shorter. */
const MAX_CODE_DIGITS = 12;
/** Enough characters of a key to tell it from `code` and `data`. */
const MAX_KEY_LENGTH = 8;

/**
 * Finds the `code` of Feishu's `{code, msg, data}` in JSON that arrives in pieces. Stops as early as possible if there is
 * no error code: at `"code":0`, at an answer with data, and at a value that is not an object.
 *
 * @internal
 */
export class EnvelopeScanner {
  private depth = 0;
  private key = '';
  private isValue = false;
  private inString = false;
  private isEscaped = false;
  private word = '';

  /** @returns the code; `'none'` if the answer has no error code; `undefined` if more text is needed */
  push(text: string): number | 'none' | undefined {
    for (const char of text) {
      const verdict = this.inString ? this.stringChar(char) : this.structureChar(char);
      if (verdict !== undefined) return verdict;
    }
    return undefined;
  }

  private stringChar(char: string): undefined {
    if (this.isEscaped) this.isEscaped = false;
    else if (char === '\\') this.isEscaped = true;
    else if (char === '"') {
      this.inString = false;
      if (this.depth === 1 && !this.isValue) this.key = this.word;
      return;
    }
    if (this.depth === 1 && this.word.length < MAX_KEY_LENGTH) this.word += char;
  }

  private structureChar(char: string): number | 'none' | undefined {
    if (this.depth === 0) return this.rootChar(char);
    if (this.depth === 1 && this.isValue && this.key === 'code') return this.codeChar(char);
    // A rejection has no data. An answer with data may be large or slow, so it passes at its first byte.
    if (this.depth === 2 && this.key === 'data' && !isSpace(char) && !isClosing(char)) return 'none';
    if (char === '"') {
      this.inString = true;
      this.word = '';
    } else if (char === '{' || char === '[') this.depth++;
    else if (isClosing(char)) return --this.depth === 0 ? 'none' : undefined;
    else if (this.depth === 1 && char === ':') this.isValue = true;
    else if (this.depth === 1 && char === ',') this.isValue = false;
    return undefined;
  }

  private rootChar(char: string): 'none' | undefined {
    if (isSpace(char)) return undefined;
    if (char !== '{') return 'none';
    this.depth = 1;
    return undefined;
  }

  private codeChar(char: string): number | 'none' | undefined {
    if (this.word === 'code') {
      // `word` still holds the key; the number starts here.
      if (isSpace(char)) return undefined;
      this.word = '';
    }
    if (char >= '0' && char <= '9') {
      this.word += char;
      return this.word === '0' || this.word.length > MAX_CODE_DIGITS ? 'none' : undefined;
    }
    const isWhole = this.word !== '' && (char === ',' || char === '}' || isSpace(char));
    return isWhole ? Number(this.word) : 'none';
  }
}

function isSpace(char: string): boolean {
  return char === ' ' || char === '\n' || char === '\r' || char === '\t';
}

function isClosing(char: string): boolean {
  return char === '}' || char === ']';
}
