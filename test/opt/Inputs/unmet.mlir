// expected-error@+1 {{this is not said}}
module {}
// expected-error on a line that nobody can read
// -----
// An error that nobody expects, in the second piece.
module {
  "dsp.nothing"() : () -> ()
}
