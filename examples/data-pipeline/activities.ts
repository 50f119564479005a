// Counts words of a text in parts, as a pipeline over files would.

/** Parts of the text there is: here it is made up. */
export async function split(parts: number): Promise<string[]> {
  return Array.from({ length: parts }, (_, i) => `part ${i} of ${parts}`);
}

export async function count(text: string): Promise<number> {
  return text.split(' ').length;
}
