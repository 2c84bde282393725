"""Everything by keyword, the clip by torch.where, addcmul for the sum."""


@add_to(GaussianDiffusion)
def p_mean_variance(self, model, x, t, clip_denoised=True):
    steps = torch.gather(self.original_steps, dim=0, index=t)
    bar = self.at(table=self.alphas_bar, t=t, x=x)
    start = torch.addcmul(x, -torch.sqrt(1 - bar), model(x, t=steps)).div(torch.sqrt(bar))
    if clip_denoised:
        start = torch.where(start.abs() > 1, start.sign(), start)
    mean, variance, log_variance = self.q_posterior_mean_variance(x_start=start, x_t=x, t=t)
    return Prediction(pred_xstart=start, log_variance=log_variance, variance=variance, mean=mean)
