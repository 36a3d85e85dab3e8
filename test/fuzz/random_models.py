"""Random models, on one rank and on several.

  random_models.py --mpirun "mpirun -np" --seeds 0-9 [--long-seeds 0-49]
                   [--keep FOLDER]

Each seed makes a small model of the language's ops (maps, norms, linears,
attention with masks, biases, lengths and rotary embeddings, to itself and to a
text, modulation, branches, softmax, reductions, einsums of two values, renames
and transposes, sums of dims, factored dims, repeats with conditions) and
compiles it for one rank, for 2, 3 or 4 ranks, also with one of the methods
where it can run, and for a mesh of 2 x 2 (every second one).  All must give the
numbers of one rank, and the bytes counted at the MPI calls must be the
predicted ones.  A model that fails is printed whole, with its seed; exits with
1 then."""

import argparse
import os
import pathlib
import random
import shlex
import subprocess
import sys
import tempfile

AGREE = pathlib.Path(__file__).parent.parent / "e2e" / "Inputs" / "agree.py"
# What dspc says of models that are too large to plan on two axes, and of ops
# that a method cannot run.
LIMIT = "has too many layouts to look at"
REFUSED = "has no way to run this op"
METHODS = ["--plan=dsp", "--plan=ulysses", "--plan=ring", "--plan=megatron-sp",
           "--allow=tensor"]
SEQUENCES = ["T", "S1", "S2"]  # dims of the residual stream beside B and C


class Model:
    """Text of a model; x is a value [B, T, S1, S2, C] throughout."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.paths = 0
        self.names = 0
        self.lines = []
        self.indent = "  "
        self.prefix = ""

    def path(self):
        self.paths += 1
        return f"{self.prefix}p{self.paths}"

    def let(self, value):
        self.names += 1
        name = f"v{self.names}"
        self.lines.append(f"{self.indent}let {name} = {value};")
        return name

    def add(self, value):
        """What an op gives joins the stream, sometimes as it is."""
        scaled = self.random.choice(["{}", "0.5 * {}", "tanh({})"])
        self.lines.append(f"{self.indent}x = x + {scaled.format(value)};")

    def normed(self):
        norm = self.random.choice(["layer_norm", "rms_norm"])
        return self.let(f'{norm}(x, over C, "{self.path()}")')

    def over(self):
        return self.random.choice(["T", "S1", "S2", "[S1, S2]", "[T, S2]",
                                   "[T, S1, S2]"])

    def maps(self):
        op = self.random.choice(["gelu", "silu", "relu", "sin", "sigmoid"])
        self.add(f"{op}({self.normed()})")

    def feed_forward(self):
        h = self.let(f'linear({self.normed()}, C -> F, "{self.path()}")')
        self.add(f'linear(gelu({h}), F -> C, "{self.path()}")')

    def gated(self):
        both = f'linear({self.normed()}, C -> 2 * F, "{self.path()}")'
        self.names += 1
        a, b = f"a{self.names}", f"b{self.names}"
        self.lines.append(f"{self.indent}let {a}, {b} = split({both}, 2);")
        self.add(f'linear(silu({a}) * {b}, F -> C, "{self.path()}")')

    def turned(self, value):
        """Rotated by its position along T or S1, or as it is."""
        dim = self.random.choice(["T", "S1", None, None])
        if not dim:
            return value
        return self.let(f"rope({value}, index({dim}) * exp(index(R) * -1.5), "
                        "over two)")

    def projected(self, h, names):
        return [self.let(f'linear({h}, C -> C, "{self.path()}")')
                for _ in names]

    def attention(self):
        h = self.normed()
        q, k, v = self.projected(h, "qkv")
        over = self.over()
        masks = [""]
        if over in SEQUENCES:
            masks = ["", ", causal: yes", ", window: 2"]
        q, k = self.turned(q), self.turned(k)
        o = self.let(f"attention({q}, {k}, {v}, over {over}, dot: D"
                     f"{self.random.choice(masks)})")
        self.add(f'linear({o}, C -> C, "{self.path()}")')

    def biased(self):
        """Keys of another name, hidden by a mask, moved by a table."""
        q, k, v = self.projected(self.normed(), "qkv")
        dim = self.random.choice(["T", "S1"])
        k, v = (self.let(f"rename({t}, {dim} -> {dim}k)") for t in (k, v))
        mask = self.let(f"where(index({dim}k) <= index({dim}), 0, -inf)")
        if self.random.random() < 0.5:
            self.names += 1
            table = f"b{self.names}"
            self.lines.append(f"{self.indent}param {table}: f32[H, {dim}, "
                              f'{dim}k] = "{self.path()}";')
            mask = self.let(f"{mask} + {table}")
        o = self.let(f"attention({q}, {k}, {v}, over {dim}k, dot: D, "
                     f"bias: {mask})")
        self.add(f'linear({o}, C -> C, "{self.path()}")')

    def cross(self):
        """To the text y, of which a sample may see a part."""
        q = self.let(f'linear({self.normed()}, C -> C, "{self.path()}")')
        k, v = self.projected("y", "kv")
        lengths = self.random.choice(["", ", lengths: seen"])
        o = self.let(f"attention({q}, {k}, {v}, over L, dot: D{lengths})")
        self.add(f'linear({o}, C -> C, "{self.path()}")')

    def modulated(self):
        """Shift, scale and gate by the time step."""
        self.names += 1
        a, b, c = (f"{letter}{self.names}" for letter in "abc")
        both = f'linear(silu(time), C -> 3 * C, "{self.path()}")'
        self.lines.append(f"{self.indent}let {a}, {b}, {c} = split({both}, 3);")
        h = self.let(f"{self.normed()} * (1 + {a}) + {b}")
        self.add(f'{c} * linear({h}, C -> C, "{self.path()}")')

    def branches(self):
        """Three readers of one value."""
        h = self.normed()
        a = self.let(f"attention({h}, {h}, {h}, over T, dot: D)")
        b = self.let(f"attention({h}, {h}, {h}, over {self.over()}, dot: D)")
        self.add(f'{a} + {b} + linear({h}, C -> C, "{self.path()}")')

    def outer(self):
        """The outer product of two projections, its mean over a dim."""
        h = self.normed()
        dim = self.random.choice(SEQUENCES)
        rest = ", ".join(d for d in SEQUENCES if d != dim)
        a = self.let(f'linear({h}, C -> O, "{self.path()}", bias: no)')
        b = self.let(f'linear({h}, C -> O, "{self.path()}", bias: no)')
        e = self.let(f"einsum({a}, rename({b}, O -> O2), over {dim})")
        e = self.let(f"rearrange({e}, [B, {rest}, O, O2])")
        self.add(f'linear({e}, O * O2 -> C, "{self.path()}")')

    def softmax(self):
        dim = self.random.choice(SEQUENCES)
        self.add(f"softmax({self.normed()}, over {dim})")

    def reduction(self):
        op = self.random.choice(["mean", "max", "min", "sum"])
        r = self.let(f"{op}({self.normed()}, over {self.over()})")
        self.add(f"0.3 * {r}")

    def pairs(self):
        """Products of positions, as attention has them, but by einsum."""
        h = self.normed()
        dim = self.random.choice(["T", "S1"])
        other = self.let(f"rename({h}, {dim} -> {dim}k)")
        a = self.let(f"rearrange({h}, [B, {', '.join(SEQUENCES)}, H, D])")
        dots = self.let(f"einsum({a}, {other}, over D)")
        if self.random.random() < 0.5:
            dots = self.let(f"{dots} + 0.5 * rename({dots}, [{dim}, {dim}k] -> "
                            f"[{dim}k, {dim}])")
        weights = self.let(f"softmax({dots}, over {dim}k)")
        o = self.let(f"einsum({weights}, {other}, over {dim}k)")
        dims = ", ".join(["B", *SEQUENCES, "H", "D"])
        self.add(f"rearrange({o}, [{dims}])")

    def joined(self):
        """A row in front of T, attention over the sum of dims, and its end."""
        h = self.normed()
        row = self.let(f"{h}[T: 0]")
        all_ = self.let("concat([expand(" + row + ", [B, one, S1, S2, C]), "
                        + h + "], over A)")
        o = self.let(f"attention({all_}, {all_}, {all_}, over A, "
                     "dot: D)")
        self.names += 1
        first, rest = f"f{self.names}", f"r{self.names}"
        self.lines.append(
            f"{self.indent}let {first}, {rest} = split({o}, over A);")
        self.add(rest)

    def layer(self):
        kinds = [self.maps, self.feed_forward, self.gated, self.attention,
                 self.attention, self.biased, self.cross, self.modulated,
                 self.branches, self.outer, self.softmax, self.reduction,
                 self.pairs, self.joined]
        self.random.choice(kinds)()

    def repeat(self):
        self.names += 1
        i = f"i{self.names}"
        self.lines.append(f"  repeat 3 as {i} {{")
        self.indent, self.prefix = "    ", f"r.{{{i}}}."
        self.layer()
        if self.random.random() < 0.5:
            condition = self.random.choice([f"{i} == 0", f"{i} % 2 == 1"])
            self.lines.append(f"    if {condition} {{")
            self.indent = "      "
            self.layer()
            self.lines.append("    }")
        self.indent, self.prefix = "  ", ""
        self.lines.append("  }")

    def text(self):
        size = lambda *sizes: self.random.choice(sizes)
        head = ["model random_model {",
                f"  const t = {size(1, 3, 4, 6)}, s = {size(1, 2, 3, 5)};",
                f"  dim B = {size(1, 2, 3)}, T = t, Tk = t, S1 = s, S1k = s;",
                f"  dim S2 = {size(1, 2, 3, 4)}, S = S1 * S2;",
                f"  dim H = {size(1, 2, 3)}, R = 2, two = 2, D = R * two;",
                f"  dim C = H * D, F = 3 * C, one = 1, A = one + T;",
                f"  const o = {size(2, 3)};",
                f"  dim O = o, O2 = o, L = {size(1, 3, 7)};",
                "  input x: f32[B, T, S, C], y: f32[B, L, C], n: i32[B];",
                "  input time: f32[B, C];",
                "  let seen = n + cast(index(B) + 1, i32);"] # random n is 0
        for _ in range(self.random.randint(2, 5)):
            self.random.choice([self.layer, self.layer, self.repeat])()
        # an input that nobody reads is an error
        self.add("mean(y, over L) * cast(seen, f32) + time")
        return "\n".join(head + self.lines + ["  output x;", "}", ""])


def agrees(mpirun, model, option):
    command = [sys.executable, str(AGREE), "--mpirun", mpirun, str(model),
               "--tolerance", "1e-4", *option]
    done = subprocess.run(command, capture_output=True, text=True, timeout=250)
    if "--meshes" in option and LIMIT in done.stderr:
        print(f"{shlex.join(option)} was not run: {LIMIT}")
        return True
    if option[-1].startswith("--flag=") and REFUSED in done.stderr:
        return True
    if done.returncode:
        print(f"{shlex.join(option)}:\n{done.stdout}{done.stderr}")
    return done.returncode == 0


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--mpirun", required=True)
    parser.add_argument("--seeds", required=True)
    parser.add_argument("--long-seeds", help="those of DSPC_LONG=1")
    parser.add_argument("--keep", help="write failing models here")
    args = parser.parse_args()
    if args.long_seeds and os.environ.get("DSPC_LONG") == "1":
        args.seeds = args.long_seeds
    first, _, last = args.seeds.partition("-")
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder) / "model.dsp"
        for seed in range(int(first), int(last or first) + 1):
            text = Model(seed).text()
            model.write_text(text)
            ranks = ["--ranks", str(2 + seed % 3)]
            options = [ranks, [*ranks, "--flag=" + METHODS[seed % 5]]]
            if seed % 2:
                options.append(["--meshes", "2x2"])
            if all([agrees(args.mpirun, model, option) for option in options]):
                continue
            failed.append(seed)
            print(f"seed {seed}:\n{text}", flush=True)
            if args.keep:
                (pathlib.Path(args.keep) / f"{seed}.dsp").write_text(text)
    if failed:
        sys.exit(f"seeds that fail: {failed}")
    print(f"models {args.seeds}: all agree")


if __name__ == "__main__":
    main()
