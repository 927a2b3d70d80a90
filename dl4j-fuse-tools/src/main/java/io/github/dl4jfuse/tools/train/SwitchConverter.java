package io.github.dl4jfuse.tools.train;

import io.github.dl4jfuse.updater.SwitchCriterion;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads {@code epoch:5}, {@code iteration:200}, {@code gradient-norm:0.5} or {@code loss:0.3}. */
final class SwitchConverter implements ITypeConverter<SwitchCriterion> {

    @Override
    public SwitchCriterion convert(String text) {
        String[] parts = text.split(":", -1);
        if (parts.length == 2) {
            try {
                SwitchCriterion criterion = switch (parts[0]) {
                    case "epoch" -> SwitchCriterion.epoch(Integer.parseInt(parts[1]));
                    case "iteration" -> SwitchCriterion.iteration(Integer.parseInt(parts[1]));
                    case "gradient-norm" -> SwitchCriterion.gradientNorm(Double.parseDouble(parts[1]));
                    case "loss" -> SwitchCriterion.loss(Double.parseDouble(parts[1]));
                    default -> null;
                };
                if (criterion != null) {
                    return criterion;
                }
            } catch (NumberFormatException e) {
                // said below
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
        throw new TypeConversionException(
                "'" + text + "' is none of epoch:5, iteration:200, gradient-norm:0.5, loss:0.3 (with your number)");
    }
}
