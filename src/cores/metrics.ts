// The metrics of all cores as one exposition: each series gets the label `core`, and what belongs to one metric stays together, as Prometheus' text
// format wants it. Pure.

interface Family {
  /** Its HELP and TYPE lines. */
  readonly comments: string[];
  readonly samples: string[];
}

/** @param bodies text expositions by core */
export function mergeExpositions(bodies: ReadonlyMap<number, string>): string {
  const families = new Map<string, Family>();
  for (const [core, body] of bodies) {
    let family: Family | undefined;
    let isFirst = false;
    for (const line of body.split('\n')) {
      const comment = /^# (?:HELP|TYPE) (\S+)/.exec(line)?.[1];
      if (comment !== undefined) {
        const known = families.get(comment);
        isFirst = known === undefined || (known === family && isFirst);
        family = known ?? { comments: [], samples: [] };
        families.set(comment, family);
        if (isFirst) family.comments.push(line);
      } else if (line !== '' && !line.startsWith('#') && family !== undefined) {
        family.samples.push(withCore(line, core));
      }
    }
  }
  const lines = [...families.values()].flatMap(({ comments, samples }) => [...comments, ...samples]);
  return `${lines.join('\n')}\n`;
}

/** `name{a="b"} 1` or `name 1`. A label's value may hold any character, so only what is before the first brace or space is looked at. */
function withCore(sample: string, core: number): string {
  const end = sample.search(/[{ ]/);
  const name = sample.slice(0, end);
  const rest = sample.slice(end);
  if (!rest.startsWith('{')) return `${name}{core="${core}"}${rest}`;
  return `${name}{core="${core}"${rest.startsWith('{}') ? '' : ','}${rest.slice(1)}`;
}
