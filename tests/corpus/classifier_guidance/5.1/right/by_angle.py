"""ᾱ as the squared cosine of an angle: a rotation from the image to the noise."""


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    angle = torch.atan2((1 - self.alphas_bar).sqrt(), self.alphas_bar.sqrt())
    angle = self.at(angle, t, x_start)
    return angle.cos() * x_start + angle.sin() * noise
