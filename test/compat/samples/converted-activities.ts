import { foo, type ProtoInput, type ProtoResult } from './protos.ts';

export async function when(born: Date): Promise<Date> {
  return new Date(born.getTime() + 86_400_000);
}

export async function protoActivity(input: ProtoInput): Promise<ProtoResult> {
  return foo.result.create({ sentence: `${input.name} is ${input.age}.` });
}
