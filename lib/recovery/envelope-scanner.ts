/** Longer than any code there is. */
const MAX_CODE_DIGITS = 12;
/** As much of a key as it takes to know that it is another one. */
const MAX_KEY_LENGTH = 8;

/**
 * Finds the `code` of Feishu's `{code, msg, data}` in JSON that arrives piece by piece, and says as early as can be
 * when there is none worth waiting for: at `"code":0`, at an answer with data in it, at anything that is no object.
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

  /** @returns the code; `'none'` when the answer carries no error code; `undefined` while more is needed */
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
    // Rejections carry no data: an answer that does may be large or slow, and is let through at its first byte.
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
      // Still the key: the number starts now.
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
