"""Jobs 4.1 and 4.5, from pixels to tokens and back: judged by which token moves which pixels."""

from __future__ import annotations

from typing import Any

import torch
from einops import rearrange
from torch import Tensor
from torch.nn.functional import max_pool2d, pad

from course_utils.checks.core import Crash, Finding, Values
from course_utils.checks.dit_probes import (
    alone_finding,
    change,
    construct,
    dead_parameters,
    gradient_finding,
    randomised,
)
from course_utils.checks.probes import generator, lots
from course_utils.checks.verdicts import form_problem

BATCH, BORDER = 2, 2
# Image size, patch size, dim, channels before the last map: four to six patches in a row.
SIZES = ((20, 5, 12, 3), (28, 7, 8, 2), (24, 4, 12, 5), (30, 6, 16, 3), (20, 4, 8, 6))
MOVED = 1e-5


def _geometry(seed: int) -> Values:
    img_size, patch_size, dim, channels = SIZES[seed % len(SIZES)]
    return {
        "img_size": img_size,
        "patch_size": patch_size,
        "dim": dim,
        "channels": channels,
        "rows": img_size // patch_size,
        "seed": seed,
    }


# 4.1 Cut it up


def patch_inputs(seed: int) -> Values:
    sizes = _geometry(seed)
    shape = (BATCH, 1, sizes["img_size"], sizes["img_size"])
    x = torch.randn(shape, generator=generator(seed))
    return {**sizes, "x": x, "lots": lots(BATCH, seed)}


def _patches(img: Tensor, patch_size: int) -> Tensor:
    """`b 1 h w -> b n p p`, row by row: a view."""
    parts = img[:, 0].unfold(1, patch_size, patch_size).unfold(2, patch_size, patch_size)
    return parts.flatten(1, 2)


def patch_probe(target: Any, inputs: Values) -> Values:
    x, patch_size, n = inputs["x"], inputs["patch_size"], inputs["rows"] ** 2
    model = construct(
        target, img_size=inputs["img_size"], patch_size=patch_size, dim=inputs["dim"], n_tokens=n
    )
    randomised(model, inputs["seed"])
    # Item k of these differs from the first image in patch k alone.
    moved = x[:1].repeat(n, 1, 1, 1)
    for k in range(n):
        row, column = divmod(k, inputs["rows"])
        moved[k, 0, row * patch_size :, column * patch_size :][:patch_size, :patch_size] += 2.0
    seen = x.clone().requires_grad_()
    out = model(seen)
    reach = None
    if isinstance(out, Tensor) and out.requires_grad:
        weighted = (out * torch.randn(out.shape, generator=generator(5))).sum()
        (reach,) = torch.autograd.grad(weighted, seen, retain_graph=True, allow_unused=True)
    told = getattr(model, "n_tokens", None)
    alike = _patches(x, patch_size)[:, 0].repeat(1, inputs["rows"], inputs["rows"])[:, None]
    turned = _patches(x.clone(), patch_size).flip(2, 3).unflatten(1, (inputs["rows"],) * 2)
    return {
        "out": out,
        "single": model(x[:1].clone()),
        "drawn": model(x[inputs["lots"]]),
        "moved": model(moved),
        "alike": model(alike),
        "turned": model(turned.transpose(2, 3).flatten(3).flatten(1, 2)[:, None]),
        "reach": reach,
        "dead": dead_parameters(model, out),
        "n_tokens": None if told is None else int(told),
    }


def patch_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    out, n, dim = outputs["out"], inputs["rows"] ** 2, inputs["dim"]
    problem = _token_shape(out, inputs) or form_problem("forward(x)", out, (BATCH, n, dim))
    problem = problem or form_problem("forward(x)", outputs["moved"], (n, n, dim))
    for name in ("alike", "turned"):
        problem = problem or form_problem("forward(x)", outputs[name], (BATCH, n, dim))
    if problem:
        return [Finding(False, problem)]
    found = [Finding(True, f"{n} tokens of {dim} numbers for {n} patches")]
    if outputs["n_tokens"] not in (None, n):
        told = f"n_tokens is {outputs['n_tokens']}, but there are {n} patches."
        found.append(Finding(False, told))
    items = out[inputs["lots"]]
    found.append(alone_finding(outputs["single"], out[:1], outputs["drawn"], items))
    found.append(_order(change(outputs["moved"], out[0]).amax(dim=-1) > MOVED, inputs["rows"]))
    found.append(_reach(outputs["reach"], inputs["patch_size"]))
    found += _one_map(out, outputs)
    return [*found, gradient_finding(outputs["dead"])]


def _one_map(out: Tensor, outputs: Values) -> list[Finding]:
    """Whether one map of all pixels makes every token."""
    found = []
    if change(outputs["alike"], outputs["alike"][:, :1]).max() > 1e-3:
        told = (
            "The same patch becomes another token at another place: one map for all patches "
            "(and nothing added: places come in job 4.4)."
        )
        found.append(Finding(False, told))
    if change(outputs["turned"], out).max() < 1e-3:
        told = "Patches turned upside down give the same tokens: is each averaged before the map?"
        found.append(Finding(False, told))
    return found


def _token_shape(out: object, inputs: Values) -> str | None:
    """Advice for shapes that are nearly right."""
    rows, dim = inputs["rows"], inputs["dim"]
    shape = tuple(out.shape) if isinstance(out, Tensor) else ()
    if shape == (BATCH, dim, rows, rows):
        return f"The tokens still stand in a grid: {shape}. One sequence please, b n dim."
    if shape == (BATCH, dim, rows**2):
        return f"The output is b dim n, {shape}; expected b n dim: swap the last two."
    if shape == (BATCH, rows, rows, dim):
        return f"The output is b rows columns dim, {shape}; join the rows and columns: b n dim."
    steps = (inputs["img_size"] - inputs["patch_size"] + 1) ** 2
    if shape == (BATCH, steps, dim):
        return f"{steps} tokens, one for each pixel that a patch can start at: stride = patch_size."
    if shape == (BATCH, rows**2, inputs["patch_size"] ** 2):
        return f"Tokens of {shape[2]} numbers are the pixels as they were: map them to dim = {dim}."
    return None


def _order(moved: Tensor, rows: int) -> Finding:
    """``moved[k, i]``: does patch k reach token i? It should reach token k and no other."""
    n = rows**2
    if torch.equal(moved, torch.eye(n, dtype=torch.bool)):
        return Finding(True, "each patch touches its own token and no other, row by row")
    k = torch.arange(n)
    by_columns = k % rows * rows + k // rows
    if torch.equal(moved, torch.eye(n, dtype=torch.bool)[by_columns]):
        return Finding(
            False,
            "The tokens stand column by column; expected row by row, as one reads: rows (height) "
            "before columns (width).",
        )
    counts = moved.sum(dim=1)
    if bool((counts == 1).all()) and bool((moved.sum(dim=0) == 1).all()):
        patch = int((~moved.diagonal()).nonzero()[0])
        where = int(moved[patch].nonzero()[0])
        told = f"Patch {patch} became token {where}; expected row by row, token {patch}."
        return Finding(False, told)
    if bool((counts == 0).any()):
        told = f"Patch {int((counts == 0).nonzero()[0])} reaches no token."
        return Finding(False, told)
    most = int(counts.max())
    if most == n:
        told = f"A patch reaches all {n} tokens; each token should see its own patch alone."
        return Finding(False, told)
    row, column = k // rows, k % rows
    far = (row[:, None] - row).abs().maximum((column[:, None] - column).abs()) > 1
    if not bool((moved & far).any()):
        return Finding(
            False,
            f"A patch reaches {most} tokens, its neighbours' too: the patches overlap. Kernel and "
            "stride should be as large as a patch.",
        )
    return Finding(
        False,
        f"A patch reaches {most} tokens; each should have one of its own. Did a reshape mix the "
        "numbers of several tokens? Join i and j, and bring dim behind them.",
    )


def _reach(reach: object, patch_size: int) -> Finding:
    if not isinstance(reach, Tensor):
        return Finding(False, "No gradient reaches the image: was something detached?")
    seen = _patches(reach != 0, patch_size).flatten(2).float().mean(dim=-1)
    # A network that is not linear may be flat in a pixel here and there.
    ok = float(seen.min()) > 0.5 and float(seen.mean()) > 0.9
    return Finding(
        ok,
        "a token knows all pixels of its patch"
        if ok
        else f"Only {float(seen.mean()):.0%} of the pixels reach a token; each patch should be "
        "seen whole.",
    )


def patch_hint(crash: Crash) -> str | None:
    if "Rearrange" in crash.message or "einops" in crash.type_name.lower():
        return "The embedding has shape b dim i j, and a token is all of dim at one place (i, j)."
    if "channels" in crash.message:
        return "The convolution wants images as they come, b 1 h w, with their one channel."
    return None


# 4.5 Put it together again


def image_inputs(seed: int) -> Values:
    sizes = _geometry(seed)
    shape = (BATCH, sizes["rows"] ** 2, sizes["dim"])
    stream = generator(seed)
    return {
        **sizes,
        "tokens": torch.randn(shape, generator=stream),
        "other": torch.randn(shape[1:], generator=stream),
        "lots": lots(BATCH, seed),
    }


def image_probe(target: Any, inputs: Values) -> Values:
    tokens, other, n = inputs["tokens"], inputs["other"], inputs["rows"] ** 2
    model = construct(
        target, img_size=inputs["img_size"], patch_size=inputs["patch_size"], dim=inputs["dim"],
        final_dim=inputs["channels"], n_tokens=n,
    )  # fmt: skip
    randomised(model, inputs["seed"])
    # Item k of these differs from the first one in token k alone.
    moved = tokens[:1].repeat(n, 1, 1)
    moved[torch.arange(n), torch.arange(n)] = other
    out = model(tokens.clone())
    return {
        "out": out,
        "single": model(tokens[:1].clone()),
        "drawn": model(tokens[inputs["lots"]]),
        "moved": model(moved),
        "dead": dead_parameters(model, out),
        "loud": _loud(model, tokens, 30.0),
        "other way": _loud(model, tokens, -30.0),
    }


@torch.no_grad()
def _loud(model: Any, tokens: Tensor, times: float) -> Any:
    """The output with parameters that are all so many times as large."""
    kept = [p.clone() for p in model.parameters()]
    for parameter in model.parameters():
        parameter.mul_(times)
    out = model(tokens.clone())
    for parameter, before in zip(model.parameters(), kept, strict=True):
        parameter.copy_(before)
    return out


def image_verdict(inputs: Values, outputs: Values) -> list[Finding]:
    out, size, n = outputs["out"], inputs["img_size"], inputs["rows"] ** 2
    problem = _image_shape(out, size) or form_problem("forward(x)", out, (BATCH, 1, size, size))
    for name in ("loud", "other way"):
        problem = problem or form_problem("forward(x)", outputs[name], (BATCH, 1, size, size))
    problem = problem or form_problem("forward(x)", outputs["moved"], (n, 1, size, size))
    if problem:
        return [Finding(False, problem)]
    found = [
        Finding(True, "an image with one channel"),
        alone_finding(outputs["single"], out[:1], outputs["drawn"], out[inputs["lots"]]),
        _places(change(outputs["moved"], out[0]), inputs),
    ]
    squashed = _squashed(torch.cat([outputs["loud"], outputs["other way"]]))
    found += [Finding(False, squashed)] if squashed else []
    return [*found, gradient_finding(outputs["dead"])]


def _image_shape(out: object, size: int) -> str | None:
    """Advice for shapes that are nearly right."""
    shape = tuple(out.shape) if isinstance(out, Tensor) else ()
    if len(shape) == 4 and shape[1] > 1 and shape[2:] == (size, size):
        return f"The image has {shape[1]} channels; a velocity of a digit has one: {shape}."
    if shape == (BATCH, size, size):
        return f"The dimension of the channel is lost: {shape}; expected b 1 h w."
    if shape == (BATCH, 1, size - 2, size - 2):
        return f"The image has lost a pixel at every side, {shape}: the 3×3 kernel needs padding=1."
    return None


def _squashed(loud: Tensor) -> str | None:
    """Whether an image of huge numbers is cut off somewhere."""
    if float(loud.abs().max()) <= 1:
        return (
            "However large the numbers inside, the image stays between -1 and 1: a velocity may "
            "be larger, so no tanh or sigmoid at the end."
        )
    if float(loud.min()) >= 0:
        return "No pixel is negative: a velocity has both signs, so no ReLU at the end."
    return None


def _places(changed: Tensor, inputs: Values) -> Finding:
    """``changed: n 1 h w``: where the image changed when token k did. Patch k is its place."""
    patch_size, rows, channels = inputs["patch_size"], inputs["rows"], inputs["channels"]
    n = rows**2
    # How much of the change of token k lies in patch i, and whether it is all over that patch.
    inside = _patches(changed, patch_size).flatten(2)
    share = inside.sum(dim=-1) / inside.sum(dim=(1, 2), keepdim=False)[:, None].clamp_min(1e-12)
    if bool((inside.amax(dim=(1, 2)) < MOVED).any()):
        token = int((inside.amax(dim=(1, 2)) < MOVED).nonzero()[0])
        return Finding(False, f"Token {token} changes no pixel of the image.")
    message = _known_layout(changed[:, 0] > MOVED, patch_size, channels)
    if message:
        return Finding(False, message)
    # Not by how much of it lies there: a last convolution may put nearly as much next door.
    if _stays(changed, patch_size, rows) and _fills(inside, patch_size):
        return Finding(True, "each token paints its own patch, in the patchifier's order")
    best, place = share.topk(2, dim=1).values, share.argmax(dim=1)
    if bool((best[:, 0] > 1.3 * best[:, 1]).all()) and not torch.equal(place, torch.arange(n)):
        return Finding(False, _elsewhere(place, rows))
    spread = int((inside.amax(dim=-1) > MOVED).sum(dim=1).max())
    return Finding(
        False,
        f"One token changes pixels in {spread} patches, or only some of its own patch. Rows of "
        "patches and rows of pixels must be brought together first: (i p) (j q).",
    )


def _elsewhere(place: Tensor, rows: int) -> str:
    """What to say of tokens that paint whole patches, but not their own."""
    k = torch.arange(len(place))
    if torch.equal(place, k % rows * rows + k // rows):
        return (
            "The tokens are laid out column by column; expected row by row, as the patchifier "
            "read them: (i j) with i counting rows."
        )
    token = int((place != k).nonzero()[0])
    return f"Token {token} paints patch {int(place[token])}; expected patch {token}."


# Where a token's numbers go when they are laid out wrongly.
LAYOUTS = {
    "Were the numbers only reshaped? A token paints whole rows of the image. Rows of patches and "
    "rows of pixels must be brought together first: (i p) (j q).": "i j f p q",
    "Were the numbers only transposed and reshaped? A token paints single pixels all over the "
    "image: bring i and p together, j and q too: (i p) (j q).": "f p q i j",
    "A token's pixels stand next to each other in one row of the image, as if a patch were a "
    "stripe: bring i and p together before you reshape: b f i p j q.": "f i j p q",
    "The pixels of a token are scattered over the image, a patch apart: the patch counts before "
    "the pixel, (i p) (j q), not (p i) (q j).": "f p i q j",
    "The rows of a token's pixels are scattered over the image: the patch counts before the "
    "pixel, (i p), not (p i).": "f p i j q",
    "The columns of a token's pixels are scattered over the image: the patch counts before the "
    "pixel, (j q), not (q j).": "f i p q j",
}


def _known_layout(reached: Tensor, patch_size: int, channels: int) -> str | None:
    """The message for a wrong layout that reaches the same pixels, `n h w`."""
    n, size = reached.shape[:2]
    rows = size // patch_size
    tokens = torch.arange(n).view(rows, rows, 1, 1, 1)
    tokens = tokens.expand(rows, rows, channels, patch_size, patch_size)
    for message, layout in LAYOUTS.items():
        planes = rearrange(tokens, f"i j f p q -> {layout}").reshape(channels, size, size)
        own = torch.stack([(planes == k).any(dim=0) for k in range(n)])
        seen = max_pool2d(own[:, None].float(), kernel_size=3, stride=1, padding=1)[:, 0] > 0
        if not bool(seen.all()) and (torch.equal(reached, own) or torch.equal(reached, seen)):
            return message
    return None


def _stays(changed: Tensor, patch_size: int, rows: int) -> bool:
    """Whether the change stays near its patch: a last convolution may look across its border."""
    for k, image in enumerate(changed[:, 0]):
        row, column = divmod(k, rows)
        outside = pad(image.clone(), (BORDER, BORDER, BORDER, BORDER))
        width = patch_size + 2 * BORDER
        outside[row * patch_size :, column * patch_size :][:width, :width] = 0
        if float(outside.max()) > MOVED:
            return False
    return True


def _fills(inside: Tensor, patch_size: int) -> bool:
    """Whether a token changes nearly all pixels of its own patch."""
    own = inside[torch.arange(len(inside)), torch.arange(len(inside))]
    return float((own > MOVED).float().mean()) > 0.9


def image_hint(crash: Crash) -> str | None:
    if "einops" in crash.type_name.lower() or "pattern" in crash.message:
        return (
            "n = i j and f p q = final_dim · patch_size²: tell einops i=self.rows, "
            "p=self.patch_size and q=self.patch_size."
        )
    if "channels" in crash.message and "expected input" in crash.message:
        return "The last convolution wants b final_dim h w: the channels stand behind the batch."
    return None
