#!/usr/bin/env node
// The demo: `npm start -- --help`.

import { runDemo } from './supervisor/run.ts';

process.exitCode = await runDemo(process.argv.slice(2));
