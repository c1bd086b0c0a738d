/** @see knative/docs code-samples/serving/hello-world/helloworld-go */
import { answerText, portFromEnvironment, printAsGo, serve } from '../program.js'

const target = process.env['TARGET'] || 'World'

printAsGo('helloworld: starting server...')
printAsGo(`helloworld: listening on port ${portFromEnvironment()}`)
serve((_request, response) => {
  printAsGo('helloworld: received a request')
  answerText(response, `Hello ${target}!\n`)
})
