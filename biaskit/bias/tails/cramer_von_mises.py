"""Cramer-von Mises W2: the mean square distance between sample and null."""

import numpy as np

from biaskit.bias.tails.cramer_von_mises_law import log10_cvm_limit, one_over_n_term
from biaskit.bias.tails.kolmogorov import log10_ks_one_sided
from biaskit.bias.tails.tail import LN10, LOG10_BODY, Tail, below_body, check_statistics, fill_tail

__all__ = ["cvm_tail", "log10_cvm_bound", "log10_cvm_corrected"]

# Excess of the rate over pi^2 w / 2 in units of w^2, at w = W2 / n. The least KL divergence of
# distributions with integral (F - u)^2 = w was solved for numerically; pi^4 / 24 at 0.
_RATE_W = np.array(
    [0, 0.00785, 0.01927, 0.04007, 0.06688, 0.09615, 0.1475, 0.1802, 0.2190, 0.2560, 0.2807, 0.3077]
)
_RATE_EXCESS = np.array(
    [
        *(4.0587, 4.1166, 4.2045, 4.3777, 4.6305, 4.9544),
        *(5.7012, 6.3671, 7.5105, 9.3251, 11.411, 15.95),
    ]
)


def log10_cvm_corrected(w2: np.ndarray, n: np.ndarray) -> np.ndarray:
    """
    Estimate log10 of P(W2 >= w2) at finite n, to any depth.

    In the body the limit law with its 1/n term, within about 2 % of p from n = 10 on. Where that
    says less than 1e-3, the limit law times e^(-n C w^2), w = w2/n, with C from the large
    deviations of W2; within 0.07 decades of simulated tails from n = 20 to 2,000.

    Parameters
    ----------
    w2 : float array, shape (g,), or scalar
        1/(12 n) + sum (u_(i) - (2i-1)/(2n))^2, at most n/3; NaN gives NaN.
    n : int array, shape (g,), or scalar
        Sample sizes, counts; 0 gives NaN.

    Returns
    -------
    float array, shape (g,)

    Examples
    --------
    The limit law alone would say -46.0 and -22.4:

    >>> log10_cvm_corrected([20.0, 10.0], [615, 100]).round(2).tolist()
    [-45.18, -24.55]
    """
    value, size, usable = check_statistics(w2, n, name="Cramer-von Mises W2")
    x, n_used = value[usable], size[usable]
    log10_p = np.full(value.shape, np.nan)
    log10_p[usable] = _corrected(x, n_used, log10_cvm_limit(x))
    return log10_p


def log10_cvm_bound(w2: np.ndarray, n: np.ndarray) -> np.ndarray:
    """
    log10 of a proven upper bound of P(W2 >= w2): the smallest of three.

    Parameters
    ----------
    w2, n
        As in `log10_cvm_corrected`.

    Returns
    -------
    float array, shape (g,)
        At most 0.

    Notes
    -----
    1. W2 - 1/(12 n) = sum (u_(i) - c_i)^2 =: Z has |grad Z|^2 = 4 Z in the values u. The uniform
       law on [0, 1] satisfies the logarithmic Sobolev inequality Ent(f^2) <= (2/pi^2) E f'^2
       (that of a circle of length 2, by reflection [1]_), and so does the law of n values. With
       H(t) = ln E e^(t Z) it gives (Herbst) t H' - H <= (2 t^2/pi^2) H', hence
       H(t) <= t E Z / (1 - 2 t/pi^2), and by Markov, with E Z = m = 1/6 - 1/(12 n),
       ln p <= -(pi^2/2) (sqrt(w2 - 1/(12 n)) - sqrt(m))^2: the rate of the limit law.
    2. W2 = sum a_j^2 / (j pi)^2 with a_j = n^-1/2 sum sqrt2 cos(j pi u_i) [2]_, each
       sub-Gaussian with variance 1 because I_0(x) <= e^(x^2/4); a union gives p <= 10.29 e^(-3 w2).
    3. A largest distance d forces W2/n <= d^2 - 2 d^3/3, so p is at most the exact
       Kolmogorov-Smirnov tail at the d that solves it: the best one when W2 is near n/3.

    References
    ----------
    .. [1] M. Emery and J. E. Yukich, "A simple proof of the logarithmic Sobolev inequality on
       the circle", Seminaire de probabilites 21, 1987.
    .. [2] J. Durbin and M. Knott, "Components of Cramer-von Mises statistics I", Journal of the
       Royal Statistical Society B 34, 1972.

    Examples
    --------
    Between the truth, -45.16, and 1:

    >>> log10_cvm_bound(20.0, 615).round(1).tolist()
    [-35.4]
    """
    value, size, usable = check_statistics(w2, n, name="Cramer-von Mises W2")
    log10_p = np.full(value.shape, np.nan)
    log10_p[usable] = _bound(value[usable], size[usable])
    return log10_p


def cvm_tail(w2: np.ndarray, n: np.ndarray) -> Tail:
    """
    P-values of the Cramer-von Mises test.

    Parameters
    ----------
    w2 : float array, shape (g,), or scalar
        1/(12 n) + sum (u_(i) - (2i-1)/(2n))^2, at most n/3.
    n : int array, shape (g,), or scalar
        Sample sizes, counts.

    Returns
    -------
    Tail
        While the 1/n-corrected law is 1e-3 or more it is the headline, ``asymptotic`` (measured
        within a few percent from n = 5 on); below, 1e-3 until the proven bound is smaller, then
        that, ``bound``. One single value has an exact law. Beside it `log10_cvm_corrected`.

    Raises
    ------
    ValueError
        If a w2 is negative, infinite, or above n/3.

    Examples
    --------
    >>> tail = cvm_tail([0.461, 20.0], [615, 615])
    >>> tail.log10_p.round(2).tolist(), tail.kind.tolist()
    ([-1.3, -35.4], ['asymptotic', 'bound'])
    """
    value, size, usable = check_statistics(w2, n, name="Cramer-von Mises W2")
    x, n_used = value[usable], size[usable]
    if np.any(x > n_used / 3 * (1 + 1e-9) + 1e-9):
        raise ValueError("Cramer-von Mises W2 is above n/3, which no sample reaches.")
    estimate = _corrected(x, n_used, log10_cvm_limit(x))
    deep = estimate < LOG10_BODY
    headline, kind = estimate.copy(), np.full(estimate.shape, "asymptotic")
    headline[deep], kind[deep] = below_body(_bound(x[deep], n_used[deep]))
    # One value: W2 = 1/12 + (u - 1/2)^2.
    single = n_used == 1
    distance = 2 * np.sqrt(np.clip(x[single] - 1 / 12, 0.0, 0.25))
    headline[single] = np.log10(np.maximum(1 - distance, 2.0**-53))
    return fill_tail(usable, headline, np.where(single, "exact", kind), estimate)


def _corrected(x: np.ndarray, n: np.ndarray, log10_limit: np.ndarray) -> np.ndarray:
    body = 10.0**log10_limit + one_over_n_term(x) / n
    w = x / n
    excess = np.interp(w, _RATE_W, _RATE_EXCESS)
    tail = log10_limit - n * excess * w**2 / LN10
    # A correction above the whole p-value has left the region where it means something.
    with np.errstate(divide="ignore", invalid="ignore"):
        log10_body = np.log10(np.maximum(body, 0.0))
    return np.where(log10_body >= LOG10_BODY, log10_body, np.minimum(tail, LOG10_BODY))


def _bound(x: np.ndarray, n: np.ndarray) -> np.ndarray:
    mean = 1 / 6 - 1 / (12 * n)
    root = np.sqrt(np.maximum(x - 1 / (12 * n), 0.0))
    sobolev = -(np.pi**2) / 2 * np.maximum(root - np.sqrt(mean), 0.0) ** 2
    union = np.log(10.29) - 3 * x
    bound = np.minimum(np.minimum(sobolev, union) / LN10, 0.0)
    # Only where most of the possible distance is used can the third be the smallest.
    near = (x / n > 0.2) | (n < 30)
    bound[near] = np.minimum(bound[near], _by_largest_distance(x[near], n[near]))
    return bound


def _by_largest_distance(x: np.ndarray, n: np.ndarray) -> np.ndarray:
    w = np.minimum(x / n, 1 / 3)
    low, high = np.zeros(w.shape), np.ones(w.shape)
    for _ in range(52):
        d = (low + high) / 2
        reached = d**2 - 2 * d**3 / 3 >= w
        low, high = np.where(reached, low, d), np.where(reached, d, high)
    return np.minimum(np.log10(2) + log10_ks_one_sided(low, n), 0.0)
