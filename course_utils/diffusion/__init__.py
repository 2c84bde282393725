"""The discrete diffusion process (DDPM, DDIM) and guidance by a classifier, in pure functions.

- ``schedules``: β_t, and which steps a shorter process keeps.
- ``process``: the forward process and its posterior, known in closed form.
- ``prediction``: what a network's output says about the step back.
- ``conditioning``: a classifier's gradient in that step.
- ``sampling``: ancestral sampling, DDIM, and DDIM reversed.
- ``losses``: what a network is trained on, and at which steps.
- ``bridge``: a flow as a diffusion, a diffusion as a flow, and a classifier that guides a flow.

Steps are numbered 0 … T − 1, and step 0 has the least noise. A *model* is any
``model(x, t) -> output`` with ``x: b ...`` and ``t: b``, int64 numbers of the original process,
also where only some of its steps are kept; labels go in by ``functools.partial(model, y=labels)``.
A *cond_fn* is ``cond_fn(x, t, y) -> gradient`` of the scaled log p(y|x_t), in the shape of x.
Tables are float64; what comes back has x's dtype. x lies in about [-1, 1] where it is clipped.

The formulas are those of Ho et al. 2020, "Denoising diffusion probabilistic models" (DDPM below);
Nichol and Dhariwal 2021, "Improved denoising diffusion probabilistic models" (iDDPM); Song et al.
2021, "Denoising diffusion implicit models" (DDIM); and Dhariwal and Nichol 2021, "Diffusion models
beat GANs on image synthesis" (ADM).
"""
