// What provisioning does to the world: here it notes it down.

export const machines: string[] = [];

export async function createMachine(name: string): Promise<string> {
  if (!machines.includes(name)) machines.push(name);
  return `ssh ${name}.example.com`;
}

export async function tell(_person: string, _text: string): Promise<void> {}
