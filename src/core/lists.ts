// Lists that most often hold one item. The first push to an empty list makes room for seventeen: by the dozen in each turn, that was a twentieth of all
// the memory a node asks for.

/** The list with one more item: the same list, unless there was none. */
export function added<T>(list: T[] | undefined, item: T): T[] {
  if (list === undefined) return [item];
  list.push(item);
  return list;
}
