/** A block of a markdown text that is fenced as `ts`. */
export interface Snippet {
  text: string;
  line: number;
  indent: number;
  checked: boolean;
}

export function snippetsOf(markdown: string): Snippet[];
