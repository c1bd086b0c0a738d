#!/usr/bin/env node
// The program from its sources, on stock oclif: no build needed. bin/run.js is what gets installed.
const { join } = require('node:path')
const { pathToFileURL } = require('node:url')

void import('tsx/esm/api')
  .then(({ register }) => {
    register()
    return import(pathToFileURL(join(__dirname, '..', 'src', 'cli', 'dev.ts')).href)
  })
  .then(({ main }) => main(process.argv.slice(2)))
