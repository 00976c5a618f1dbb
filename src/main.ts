#!/usr/bin/env node
/** The entry: one command line, nothing else. */
import { commandLineArguments, runCommandLine } from './cli/index.js';

await runCommandLine(commandLineArguments());
